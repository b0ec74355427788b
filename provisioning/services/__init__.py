"""From signup to an account that works, one module a verb."""
