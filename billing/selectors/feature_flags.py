"""Read feature flags."""

from billing.models import FeatureFlag


def is_billing_enabled() -> bool:
    """Whether usage and corrections are sent to Stripe. Not cached, so that a change takes effect at once."""
    off = FeatureFlag.objects.filter(name=FeatureFlag.Name.BILLING_ENABLED, is_on=False)
    return not off.exists()
