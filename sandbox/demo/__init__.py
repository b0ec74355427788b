"""A customer's whole journey on real input, every step checked: `make demo`."""
