"""What operators count about money. No customer is a label: see their rows instead."""

from prometheus_client import Counter

STRIPE_CALLS = Counter("rsolv_billing_stripe_calls", "Calls to Stripe.", ["call", "outcome"])
RECONCILIATION_DIFFERENCES = Counter(
    "rsolv_billing_reconciliation_differences", "Differences that reconciliation found.", ["kind"]
)
METER_ERRORS = Counter(
    "rsolv_billing_meter_errors", "Meter events that Stripe accepted and did not count.", ["code"]
)
