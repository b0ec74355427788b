"""What staff have turned on and off."""

from billing.models import BillingSwitch


def is_billing_enabled() -> bool:
    """Whether usage and corrections are sent to Stripe. Asked anew each time: a switch works at once."""
    off = BillingSwitch.objects.filter(name=BillingSwitch.Name.BILLING_ENABLED, is_on=False)
    return not off.exists()
