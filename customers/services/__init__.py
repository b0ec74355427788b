"""Every change of a customer's state, one module per verb."""
