"""Checks of `make`: secrets in tracked files, vulnerable dependencies, tests affected by a change."""
