"""Delete unconfirmed signups."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from customers.models import ApiKey, User
from customers.selectors import list_unconfirmed_people
from customers.services.release_unconfirmed_address import remove_unconfirmed_person
from provisioning.models import SignupRequest

BATCH = 1000
KEPT_FOR = timedelta(days=7)


def prune_signups(*, at: datetime) -> int:
    """Delete requests and logins not confirmed within seven days, up to 1000 of each. Return their number.

    Keeps a login whose account's key was ever used: somebody works with it. Safe to repeat.
    """
    old = SignupRequest.objects.filter(created_at__lt=at - KEPT_FOR).values_list("pk", flat=True)[:BATCH]
    requests, _ = SignupRequest.objects.filter(pk__in=list(old)).delete()
    used = ApiKey.objects.filter(customer__memberships__user=OuterRef("pk"), last_used_at__isnull=False)
    people = list_unconfirmed_people().filter(~Exists(used), date_joined__lt=at - KEPT_FOR)
    return requests + sum(_remove(pk, at) for pk in people.values_list("pk", flat=True)[:BATCH])


@transaction.atomic
def _remove(pk: int, at: datetime) -> bool:
    """Check again under the lock: the code may have been entered meanwhile."""
    User.objects.select_for_update().filter(pk=pk).first()
    user = list_unconfirmed_people().filter(pk=pk).first()
    if user is not None:
        remove_unconfirmed_person(user=user, at=at)
    return user is not None
