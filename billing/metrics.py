"""What operators count about money. No customer is a label: see their rows instead."""

from prometheus_client import Counter, Histogram

STRIPE_CALLS = Counter("rsolv_billing_stripe_calls", "Calls to Stripe.", ["call", "outcome"])
STRIPE_SECONDS = Histogram(
    "rsolv_billing_stripe_call_seconds",
    "How long calls to Stripe took, their retries and waits included.",
    ["call"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60),
)
RECONCILIATION_DIFFERENCES = Counter(
    "rsolv_billing_reconciliation_differences", "Differences that reconciliation found.", ["kind"]
)
METER_ERRORS = Counter(
    "rsolv_billing_meter_errors", "Meter events that Stripe accepted and did not count.", ["code"]
)
USAGE_RECORDED = Counter(
    "rsolv_billing_usage_recorded", "Fixes that the ledger took in.", ["plan", "coverage"]
)
USAGE_REPORTED = Counter(
    "rsolv_billing_usage_reported",
    "Reports to Stripe's meter that ended; rescheduled is an attempt that is made again.",
    ["outcome"],
)
WEBHOOKS_RECEIVED = Counter("rsolv_billing_webhooks_received", "Events kept, each once.", ["type"])
WEBHOOKS_PROCESSED = Counter(
    "rsolv_billing_webhooks_processed",
    "Events acted on, or given up (failed); rescheduled is an attempt that is made again.",
    ["outcome"],
)
WEBHOOK_LAG = Histogram(
    "rsolv_billing_webhook_lag_seconds",
    "From when an event was received until it was acted on.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 7200, 43200),
)
PAYMENTS = Counter(
    "rsolv_billing_payments", "What became of payments, as Stripe's events say once each.", ["outcome"]
)
PAYMENT_EVENTS = {
    "invoice.paid": "paid",
    "invoice.payment_failed": "failed",
    "invoice.payment_action_required": "action_required",
    "charge.refunded": "refunded",
    "charge.dispute.created": "disputed",
}

# Told as 0 before the first, so that the first is seen as a rise.
for outcome in ("reported", "settled", "refused", "rescheduled"):
    USAGE_REPORTED.labels(outcome)
for outcome in ("processed", "rescheduled", "failed"):
    WEBHOOKS_PROCESSED.labels(outcome)
for outcome in PAYMENT_EVENTS.values():
    PAYMENTS.labels(outcome)
