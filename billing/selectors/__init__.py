"""Reads of money, always of one customer."""

from .invoices import InvoiceLine, list_invoices
from .standing import Entitlement, count_period_fixes, count_trial_fixes, get_account, get_entitlement

__all__ = [
    "Entitlement",
    "InvoiceLine",
    "count_period_fixes",
    "count_trial_fixes",
    "get_account",
    "get_entitlement",
    "list_invoices",
]
