"""When a person was here last, so that a page can say what happened since."""

from datetime import datetime, timedelta

from django.http import HttpRequest

from customers.models import Membership
from customers.services.record_visit import record_visit

# Pages opened within this time of one another are one visit.
VISIT = timedelta(minutes=30)
NOTED_EVERY = timedelta(minutes=1)
KEPT_AS = "portal_last_time"


def find_last_time(request: HttpRequest, membership: Membership, *, now: datetime) -> datetime | None:
    """When the visit before this one was; None on the first. It stays the same throughout a visit."""
    seen = membership.last_seen_at
    if seen is None or now - seen >= VISIT:
        request.session[KEPT_AS] = seen.isoformat() if seen else ""
    if seen is None or now - seen >= NOTED_EVERY:
        record_visit(membership=membership, at=now)
    kept = request.session.get(KEPT_AS)
    return datetime.fromisoformat(kept) if kept else None
