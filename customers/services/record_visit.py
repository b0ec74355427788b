"""Record visits to the portal."""

from datetime import datetime

from customers.models import Membership


def record_visit(*, membership: Membership, at: datetime) -> None:
    """Record when a member was last seen. Never sets an earlier time."""
    rows = Membership.objects.filter(pk=membership.pk).exclude(last_seen_at__gt=at)
    rows.update(last_seen_at=at)
    membership.last_seen_at = at
