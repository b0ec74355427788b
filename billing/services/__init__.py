"""Services that change billing state, one module per verb."""
