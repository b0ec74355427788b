"""Time turned into invoices: periods, usage, amounts, collection."""
