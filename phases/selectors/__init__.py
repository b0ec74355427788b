"""Reads of phases, always of one customer."""
