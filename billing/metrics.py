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
