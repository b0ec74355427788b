"""`make chaos`: proof that every fix is billed exactly once, whatever fails around it."""
