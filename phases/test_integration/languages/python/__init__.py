"""Python: pytest and unittest files."""
