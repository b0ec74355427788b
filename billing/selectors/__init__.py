"""Reads of money, always of one customer."""
