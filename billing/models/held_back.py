"""What staff keep from being sent to Stripe."""

from django.db.models import Exists, Q

from .feature_flags import FeatureFlag


def is_sent_to_stripe(customer: str) -> Q:
    """A condition on rows whose customer is at this path: neither the customer nor all billing is paused."""
    off = FeatureFlag.objects.filter(name=FeatureFlag.Name.BILLING_ENABLED, is_on=False)
    return Q(**{f"{customer}__billing_account__paused_at": None}) & ~Q(Exists(off))
