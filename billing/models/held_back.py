"""The condition that staff have not paused reporting to Stripe."""

from django.db.models import Exists, Q

from .feature_flags import FeatureFlag


def is_sent_to_stripe(customer: str) -> Q:
    """Return a condition that neither billing as a whole nor the row's customer is paused.

    `customer` is the lookup path from the row to its customer.
    """
    off = FeatureFlag.objects.filter(name=FeatureFlag.Name.BILLING_ENABLED, is_on=False)
    return Q(**{f"{customer}__billing_account__paused_at": None}) & ~Q(Exists(off))
