"""Inserts a security test into a project's own test file, in its style. Pure: no Django, no I/O."""
