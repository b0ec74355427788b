"""Billing's pages in the portal. Amounts come ready from selectors and services; nothing is computed here."""
