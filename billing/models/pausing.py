"""Query condition for rows whose reporting to Stripe is not paused by staff."""

from django.db.models import Exists, Q

from .feature_flags import FeatureFlag


def is_reporting_on(customer: str) -> Q:
    """Return a condition that is true if neither billing as a whole nor the row's customer is paused.

    `customer` is the lookup path from the row to its customer.
    """
    off = FeatureFlag.objects.filter(name=FeatureFlag.Name.BILLING_ENABLED, is_on=False)
    return Q(**{f"{customer}__billing_account__paused_at": None}) & ~Q(Exists(off))
