"""Elixir test files: their outline, and how tests are written in them."""
