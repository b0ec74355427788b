"""What operators count about signups."""

from prometheus_client import Counter, Gauge

SIGNUPS = Counter("rsolv_provisioning_signups", "Customers made.", ["source"])
STEPS = Counter("rsolv_provisioning_steps", "Steps after signup that ended.", ["step", "state"])
BROKEN = Gauge(
    "rsolv_provisioning_broken",
    "Signups that break the invariant, as last checked.",
    multiprocess_mode="mostrecent",
)
