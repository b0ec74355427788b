"""Old webhooks and claims that came to nothing are deleted. The ledger never is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import QuerySet
from djstripe.models import Event, IdempotencyKey, WebhookEventTrigger

from billing.models import InboxEvent, UsageClaim

log = structlog.get_logger(__name__)

BATCH = 1000
# How long a claim that ran out unused is kept. Claiming its issue again makes a new one.
UNUSED_CLAIMS_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Pruned:
    """How many were forgotten. An inbox row itself stays: only its body goes."""

    bodies: int
    events: int
    triggers: int
    keys: int
    claims: int


def prune_events(*, at: datetime) -> Pruned:
    """Empty bodies of old processed webhooks; delete old events of dj-stripe and unused claims, in batches.

    The inbox keeps the ids, so that a duplicate is still one however late it comes. What is not processed is
    kept whole. Each batch commits by itself; repeating it is safe.
    """
    before = at - timedelta(days=settings.WEBHOOK_RETENTION_DAYS)
    pruned = Pruned(
        bodies=_empty_bodies(before),
        triggers=_delete(WebhookEventTrigger.objects.filter(created__lt=before)),
        events=_delete(Event.objects.filter(djstripe_created__lt=before)),
        keys=_delete(IdempotencyKey.objects.filter(created__lt=before)),
        claims=_delete(UsageClaim.objects.filter(used_at=None, expires_at__lt=at - UNUSED_CLAIMS_KEPT)),
    )
    log.info("events_pruned", bodies=pruned.bodies, events=pruned.events, triggers=pruned.triggers)
    return pruned


def _empty_bodies(before: datetime) -> int:
    old = InboxEvent.objects.filter(processed_at__lt=before, received_at__lt=before).exclude(payload="")
    count = 0
    while batch := list(old.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        # Asked again: staff may have begun to replay one.
        count += InboxEvent.objects.filter(pk__in=batch, processed_at__lt=before).update(payload="")
    return count


def _delete(old: QuerySet) -> int:  # type: ignore[type-arg]
    count = 0
    while batch := list(old.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        old.filter(pk__in=batch).delete()
        count += len(batch)
    return count
