"""The time of a person's previous visit, so that the overview can show what happened since."""

from datetime import datetime, timedelta

from django.http import HttpRequest

from customers.models import Membership
from customers.services.record_visit import record_visit

# Pages opened within this time of one another are one visit.
VISIT = timedelta(minutes=30)
RECORDED_EVERY = timedelta(minutes=1)
SESSION_KEY = "portal_last_time"


def find_last_time(request: HttpRequest, membership: Membership, *, now: datetime) -> datetime | None:
    """Return the time of the previous visit, None on the first. It does not change during a visit.

    Writes the session at the start of a visit, and the membership's `last_seen_at` at most once a minute.
    """
    seen = membership.last_seen_at
    if seen is None or now - seen >= VISIT:
        # Sessions are JSON, which has no times. Empty is the first visit.
        request.session[SESSION_KEY] = seen.isoformat() if seen else ""
    if seen is None or now - seen >= RECORDED_EVERY:
        record_visit(membership=membership, at=now)
    kept = request.session.get(SESSION_KEY)
    return datetime.fromisoformat(kept) if kept else None
