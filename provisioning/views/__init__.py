"""Signing up: the forms, the code, and the link that confirms what a caller asked for."""
