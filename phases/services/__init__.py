"""Every change of a phase's state, one module a verb."""
