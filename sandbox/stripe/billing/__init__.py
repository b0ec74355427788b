"""Billing over time: periods, usage, amounts, invoices and their collection."""
