"""A GitHub to log in with: OAuth's three calls, and people to be."""
