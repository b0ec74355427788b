"""Billing reads. Each takes the customer as an argument, except those for reconciliation."""
