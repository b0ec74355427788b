"""`make chaos`: check that every fix is billed exactly once, whatever fails."""
