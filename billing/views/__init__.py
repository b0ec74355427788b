"""Billing pages of the portal. Selectors and services compute all amounts; views compute none."""
