"""Every change of money's state, one module a verb."""
