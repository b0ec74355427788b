"""Prometheus metrics of billing. No label identifies a customer, which would make their number unbounded."""

from prometheus_client import Counter, Histogram

STRIPE_CALLS = Counter("rsolv_billing_stripe_calls", "Calls to Stripe.", ["call", "outcome"])
STRIPE_SECONDS = Histogram(
    "rsolv_billing_stripe_call_seconds",
    "Duration of calls to Stripe, including retries and waits.",
    ["call"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60),
)
RECONCILIATION_DIFFERENCES = Counter(
    "rsolv_billing_reconciliation_differences", "Discrepancies that reconciliation found.", ["kind"]
)
METER_ERRORS = Counter(
    "rsolv_billing_meter_errors", "Meter events that Stripe accepted but did not count.", ["code"]
)
USAGE_RECORDED = Counter(
    "rsolv_billing_usage_recorded", "Fixes recorded in the ledger.", ["plan", "coverage"]
)
USAGE_REPORTED = Counter(
    "rsolv_billing_usage_reported",
    "Attempts to report a fix to Stripe's meter, by outcome.",
    ["outcome"],
)
WEBHOOKS_RECEIVED = Counter(
    "rsolv_billing_webhooks_received", "Webhook events received, without duplicates.", ["type"]
)
OTHER_MODE = Counter(
    "rsolv_billing_other_mode",
    "Events and objects of Stripe's other mode (live, test) that were rejected.",
    ["kind"],
)
WEBHOOKS_PROCESSED = Counter(
    "rsolv_billing_webhooks_processed",
    "Attempts to process a webhook event, by outcome; failed is the last attempt.",
    ["outcome"],
)
WEBHOOK_LAG = Histogram(
    "rsolv_billing_webhook_lag_seconds",
    "Time from the receipt of a webhook event until it was processed.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 7200, 43200),
)
PAYMENTS = Counter(
    "rsolv_billing_payments", "Outcomes of payments, one per processed webhook event.", ["outcome"]
)
PAYMENT_EVENTS = {
    "invoice.paid": "paid",
    "invoice.payment_failed": "failed",
    "invoice.payment_action_required": "action_required",
    "charge.refunded": "refunded",
    "charge.dispute.created": "disputed",
}

# Export zeros before the first event: Prometheus computes no increase for a series that starts at 1.
for outcome in ("reported", "settled", "rejected", "rescheduled"):
    USAGE_REPORTED.labels(outcome)
for kind in ("event", "object"):
    OTHER_MODE.labels(kind)
for outcome in ("processed", "rescheduled", "failed"):
    WEBHOOKS_PROCESSED.labels(outcome)
for outcome in PAYMENT_EVENTS.values():
    PAYMENTS.labels(outcome)
