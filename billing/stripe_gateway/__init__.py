"""The one package that speaks to Stripe. Small functions in our language, plain values back.

Every function calls out, with a timeout and two bounded retries, and raises StripeUnavailable when the
answer is unknown or will be another later, StripeRefused when Stripe has said no. A write for a customer
carries an idempotency key, and what it makes is looked for before it is made. Objects that we keep are
synced into dj-stripe's tables before a function returns. Sources: https://docs.stripe.com/api
(2026-08-26.dahlia), https://docs.stripe.com/billing/subscriptions/usage-based
"""

from .adjustments import cancel_meter_event, credit_balance, credit_subscription
from .audits import list_subscriptions, sync_invoices, sync_invoices_of
from .checkout import close_checkouts, find_subscription_of, open_checkout, open_portal, read_person
from .client import check_connection, configure_djstripe, get_client, read_id
from .customers import create_customer, set_payment_method
from .errors import BadSignature, CardRefused, NotSetUp, StripeRefused, StripeUnavailable
from .incidents import Incident, list_refunds, read_dispute
from .invoices import OpenInvoice, find_invoice_of_payment, sync_open_invoices, void_open_invoices
from .meter import MeterEvent, count_metered, count_metered_between, find_meter_id, report_usage
from .meter_errors import MeterError, list_meter_errors
from .plan_changes import PreviewedChange, PreviewLine, change_plan, preview_plan
from .prices import find_price_ids, sync_plans
from .subscriptions import (
    cancel_subscription,
    create_subscription,
    find_plan,
    set_cancellation,
    sync_live_subscriptions,
    sync_subscription,
    sync_subscriptions,
)
from .webhooks import (
    METER_ERROR,
    WEBHOOK_EVENTS,
    apply_event,
    keep_event_destination,
    register_webhook,
    verify_webhook,
)

__all__ = [
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
    "WEBHOOK_EVENTS",
    "apply_event",
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
    "find_plan",
    "find_price_ids",
    "find_subscription_of",
    "get_client",
    "keep_event_destination",
    "list_meter_errors",
    "list_refunds",
    "list_subscriptions",
    "open_checkout",
    "open_portal",
    "preview_plan",
    "read_dispute",
    "read_id",
    "read_person",
    "register_webhook",
    "report_usage",
    "set_cancellation",
    "set_payment_method",
    "sync_invoices",
    "sync_invoices_of",
    "sync_open_invoices",
    "sync_live_subscriptions",
    "sync_plans",
    "sync_subscription",
    "sync_subscriptions",
    "verify_webhook",
    "void_open_invoices",
]
