"""A scripted GitHub Action of a customer, which uses only RSOLV's public API."""
