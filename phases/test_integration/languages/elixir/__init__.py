"""Elixir: ExUnit files."""
