"""From signup to a working account, one module per verb."""
