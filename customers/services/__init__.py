"""Every change of a customer's state, one module a verb."""
