"""Puts a security test where the project's own developers would have put it. Pure: no Django, no I/O."""
