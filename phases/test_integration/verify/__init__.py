"""Verify: parses the result and checks that the planned tests are in it, and nothing else broke."""
