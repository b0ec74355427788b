"""The one package that speaks to Stripe, and the only one that reads its JSON. Callers get snapshots.

A function that calls out has a timeout and two bounded retries, and raises StripeUnavailable when the answer
is unknown or may differ later, StripeRefused when Stripe rejects the request. A write for a customer carries
an idempotency key, and what it creates is looked for before it is created. Objects that we keep are copied to
dj-stripe's tables (`mirror.py`) and read from there as snapshots (`mirrored.py`, `snapshots.py`). Sources:
https://docs.stripe.com/api (2026-08-26.dahlia), https://docs.stripe.com/billing/subscriptions/usage-based
"""

from .adjustments import cancel_meter_event, credit_balance, credit_subscription
from .audits import list_subscriptions, sync_invoices, sync_invoices_of
from .checkout import close_checkouts, find_subscription_of, open_checkout, open_portal
from .client import check_connection, configure_djstripe, get_client, read_id
from .customers import create_customer, set_payment_method
from .errors import BadSignature, CardRefused, NotSetUp, StripeRefused, StripeUnavailable
from .incidents import Incident, list_refunds, read_dispute
from .invoices import OpenInvoice, find_invoice_of_payment, sync_open_invoices, void_open_invoices
from .meter import MeterEvent, count_metered, count_metered_between, find_meter_id, report_usage
from .meter_errors import MeterError, list_meter_errors
from .mirror import purge_customer, sync_object, sync_payment_method
from .mirrored import (
    find_invoice_number,
    has_number,
    has_status,
    is_failed,
    iterate_subscriptions,
    list_invoices,
    list_invoices_by_customer,
    list_metered_prices,
    list_payable_invoices,
    list_prices,
    list_subscriptions_of,
    read_invoice,
    read_subscription,
    sum_paid_cents,
)
from .plan_changes import PreviewedChange, PreviewLine, change_plan, preview_plan
from .prices import find_price_ids, sync_plans
from .snapshots import (
    ENDED,
    InvoiceLineSnapshot,
    InvoiceSnapshot,
    PriceSnapshot,
    SubscriptionSnapshot,
    parse_subscription,
)
from .subscriptions import (
    cancel_subscription,
    create_subscription,
    set_cancellation,
    sync_live_subscriptions,
    sync_subscription,
    sync_subscriptions,
)
from .webhooks import (
    METER_ERROR,
    WebhookEvent,
    is_thin,
    keep_event_destination,
    read_event,
    register_webhook,
    verify_webhook,
)

__all__ = [
    "find_invoice_number",
    "has_number",
    "has_status",
    "is_failed",
    "iterate_subscriptions",
    "list_invoices",
    "list_invoices_by_customer",
    "list_metered_prices",
    "list_payable_invoices",
    "list_prices",
    "list_subscriptions_of",
    "read_invoice",
    "read_subscription",
    "sum_paid_cents",
    "ENDED",
    "InvoiceLineSnapshot",
    "InvoiceSnapshot",
    "PriceSnapshot",
    "SubscriptionSnapshot",
    "parse_subscription",
    "BadSignature",
    "CardRefused",
    "Incident",
    "METER_ERROR",
    "MeterError",
    "MeterEvent",
    "NotSetUp",
    "OpenInvoice",
    "PreviewLine",
    "PreviewedChange",
    "StripeRefused",
    "StripeUnavailable",
    "WebhookEvent",
    "cancel_meter_event",
    "cancel_subscription",
    "change_plan",
    "check_connection",
    "close_checkouts",
    "configure_djstripe",
    "count_metered",
    "count_metered_between",
    "create_customer",
    "create_subscription",
    "credit_balance",
    "credit_subscription",
    "find_invoice_of_payment",
    "find_meter_id",
    "find_price_ids",
    "find_subscription_of",
    "get_client",
    "is_thin",
    "keep_event_destination",
    "list_meter_errors",
    "list_refunds",
    "list_subscriptions",
    "open_checkout",
    "open_portal",
    "preview_plan",
    "read_dispute",
    "purge_customer",
    "read_event",
    "read_id",
    "register_webhook",
    "report_usage",
    "set_cancellation",
    "set_payment_method",
    "sync_invoices",
    "sync_invoices_of",
    "sync_object",
    "sync_open_invoices",
    "sync_payment_method",
    "sync_live_subscriptions",
    "sync_plans",
    "sync_subscription",
    "sync_subscriptions",
    "verify_webhook",
    "void_open_invoices",
]
