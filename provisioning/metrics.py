"""What operators count about signups."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("rsolv_provisioning_signup_requests", "Signups asked for, confirmed or not.", ["source"])
ONBOARDING_STOPPED = Counter(
    "rsolv_provisioning_onboarding_stopped",
    "Keyless signups refused because all callers together asked for too many within an hour.",
)
SIGNUPS = Counter("rsolv_provisioning_signups", "Customers made: signups that were confirmed.", ["source"])
STEPS = Counter("rsolv_provisioning_steps", "Steps after signup that ended.", ["step", "state"])
BROKEN = Gauge(
    "rsolv_provisioning_broken",
    "Signups that break the invariant, as last checked.",
    multiprocess_mode="mostrecent",
)
READY_SECONDS = Histogram(
    "rsolv_provisioning_ready_seconds",
    "From a signup until its Stripe customer is made and its welcome mail is sent.",
    buckets=(0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400),
)
