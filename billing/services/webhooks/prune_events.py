"""Prune old webhooks and unused claims. The ledger is never pruned."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import QuerySet
from djstripe.models import Event, IdempotencyKey, WebhookEventTrigger

from billing.models import InboxEvent, UsageClaim

log = structlog.get_logger(__name__)

BATCH = 1000
# How long an expired, unused claim is kept. Claiming its issue again creates a new row.
UNUSED_CLAIMS_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Pruned:
    """The number of rows pruned, by kind. `bodies` counts inbox rows that were emptied but not deleted."""

    bodies: int
    events: int
    triggers: int
    keys: int
    claims: int


def prune_events(*, at: datetime) -> Pruned:
    """Empty the bodies of old webhooks; delete dj-stripe's old events and unused claims, in batches.

    Inbox rows keep their ids, so that a duplicate is recognized however late it arrives. Events that are not
    processed keep their bodies. Each batch commits by itself; safe to repeat.
    Source: docs/decisions/008-reconciliation-and-retention.md.
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
        # Filter again: staff may have started to replay one since the batch was read.
        count += InboxEvent.objects.filter(pk__in=batch, processed_at__lt=before).update(payload="")
    return count


def _delete(old: QuerySet) -> int:  # type: ignore[type-arg]
    count = 0
    while batch := list(old.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        old.filter(pk__in=batch).delete()
        count += len(batch)
    return count
