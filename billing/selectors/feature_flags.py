"""What staff have turned on and off."""

from billing.models import FeatureFlag


def is_billing_enabled() -> bool:
    """Whether usage and corrections are sent to Stripe. Asked anew each time: a switch works at once."""
    off = FeatureFlag.objects.filter(name=FeatureFlag.Name.BILLING_ENABLED, is_on=False)
    return not off.exists()
