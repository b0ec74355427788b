"""Billing's pages in the portal. Amounts come ready from selectors and services; nothing is computed here."""

from .cap import set_cap
from .change import change_plan
from .invoices import show_fix, show_invoice, show_invoices
from .overview import open_portal, show_billing
from .plans import cancel_plan, choose_plan, resume_plan, wait_for_stripe

__all__ = [
    "cancel_plan",
    "change_plan",
    "choose_plan",
    "open_portal",
    "resume_plan",
    "set_cap",
    "show_billing",
    "show_fix",
    "show_invoice",
    "show_invoices",
    "wait_for_stripe",
]
