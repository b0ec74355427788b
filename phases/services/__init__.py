"""Changes of stored phases, repositories and storage: one module per verb."""
