"""Reads of money, always of one customer."""

from .billed_lines import (
    BilledFixes,
    count_credited,
    find_billed_fixes,
    find_fix_price,
    is_being_invoiced,
    was_billed,
    was_without_plan,
)
from .explained_invoice import ExplainedInvoice, ExplainedLine, explain_invoice
from .fixes import FixOfLine, get_fix
from .invoices import InvoiceLine, count_invoices, list_invoices, list_open_invoices
from .ledger import LedgerRow, list_ledger
from .notices import list_notices
from .standing import (
    Entitlement,
    count_period_fixes,
    count_used_fixes,
    find_billing_page,
    find_blocked_reason,
    get_account,
    get_entitlement,
)
from .switches import is_billing_enabled
from .trial import TrialUse, count_pool_claims, count_trial_fixes, get_trial_use

__all__ = [
    "BilledFixes",
    "Entitlement",
    "ExplainedInvoice",
    "ExplainedLine",
    "FixOfLine",
    "InvoiceLine",
    "LedgerRow",
    "TrialUse",
    "count_credited",
    "count_invoices",
    "count_period_fixes",
    "count_pool_claims",
    "count_trial_fixes",
    "count_used_fixes",
    "explain_invoice",
    "find_billed_fixes",
    "find_billing_page",
    "find_blocked_reason",
    "find_fix_price",
    "get_account",
    "get_entitlement",
    "get_fix",
    "get_trial_use",
    "is_being_invoiced",
    "is_billing_enabled",
    "list_invoices",
    "list_ledger",
    "list_notices",
    "list_open_invoices",
    "was_billed",
    "was_without_plan",
]
