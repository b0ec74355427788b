"""Metrics of signups."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("rsolv_provisioning_signup_requests", "Signups requested, confirmed or not.", ["source"])
ONBOARDING_STOPPED = Counter(
    "rsolv_provisioning_onboarding_stopped",
    "Keyless signups rejected because of the hourly limit for all callers together.",
)
SIGNUPS = Counter("rsolv_provisioning_signups", "Customers created by confirmed signups.", ["source"])
STEPS = Counter("rsolv_provisioning_steps", "Provisioning steps that ended.", ["step", "state"])
BROKEN = Gauge(
    "rsolv_provisioning_broken",
    "Signups that are overdue and incomplete, as last checked.",
    multiprocess_mode="mostrecent",
)
READY_SECONDS = Histogram(
    "rsolv_provisioning_ready_seconds",
    "From a signup until its Stripe customer is created and its welcome mail is sent.",
    buckets=(0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400),
)
