"""What Stripe tells us is kept first, and acted on later."""

import json
import re
from contextlib import suppress
from datetime import datetime

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from billing import stripe_gateway
from billing.metrics import (
    PAYMENT_EVENTS,
    PAYMENTS,
    WEBHOOK_LAG,
    WEBHOOKS_PROCESSED,
    WEBHOOKS_RECEIVED,
)
from billing.models import InboxEvent
from billing.retries import LEASE, schedule_retry
from core.errors import DomainError
from core.queue.enqueue import enqueue_on_commit

from .webhook_handlers import HANDLERS, handle_webhook

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 12
NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z", re.ASCII)


class WebhookRefused(DomainError):
    message = "The webhook's signature or body is not right."


def receive_webhook(*, payload: bytes, signature: str) -> None:
    """Keep a signed event and ask for its processing on commit. A duplicate is accepted and changes nothing.

    Raises WebhookRefused, and keeps nothing, unless one of our endpoints' secrets signed it. Calls nobody.
    """
    try:
        text = payload.decode("utf-8")
        stripe_gateway.verify_webhook(payload=text, signature=signature)
        event = json.loads(text)
        event_id, event_type = event["id"], event["type"]
    except (stripe_gateway.BadSignature, ValueError, KeyError, TypeError, RecursionError) as error:
        raise WebhookRefused from error
    if not (_is_name(event_id) and _is_name(event_type)):
        raise WebhookRefused
    kept = InboxEvent(event_id=event_id, event_type=event_type, payload=text)
    # A duplicate has its row: its processing is asked for all the same, in case that was lost.
    with suppress(IntegrityError), transaction.atomic():
        kept.save(force_insert=True)
        transaction.on_commit(WEBHOOKS_RECEIVED.labels(_name_type(event_type)).inc)
    enqueue_on_commit("billing.tasks.process_webhook", event_id)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and NAME.match(value) is not None


def _name_type(event_type: str) -> str:
    """As a label: one of those that we ask Stripe for."""
    return event_type if event_type in HANDLERS else "other"


def process_webhook(*, event_id: str) -> None:
    """Act on a kept event that is due. Repeating it is safe; a failure is put off with a longer wait.

    After the last attempt the event waits for staff. What it does is in `webhook_handlers.py`.
    """
    event = _take_lease(event_id, timezone.now())
    if event is None:
        return
    try:
        handle_webhook(event_type=event.event_type, body=event.payload)
    except Exception as error:
        _put_off(event, error)
        return
    now = timezone.now()
    waiting = InboxEvent.objects.filter(pk=event_id, processed_at=None)
    if waiting.update(processed_at=now, next_attempt_at=None, last_error=""):
        _count(event, now)


def _count(event: InboxEvent, now: datetime) -> None:
    """Once for each event: where its lease expired and two processed it, the first."""
    WEBHOOKS_PROCESSED.labels("processed").inc()
    WEBHOOK_LAG.observe((now - event.received_at).total_seconds())
    if event.event_type in PAYMENT_EVENTS:
        PAYMENTS.labels(PAYMENT_EVENTS[event.event_type]).inc()


def replay_webhook(*, event_id: str, at: datetime) -> None:
    """Process an event anew, also one that was processed. Staff's way out of a failure that is mended.

    One so old that its body is forgotten stays as it is.
    """
    with transaction.atomic():
        kept = InboxEvent.objects.filter(pk=event_id).exclude(payload="")
        kept.update(processed_at=None, attempts=0, next_attempt_at=at)
        enqueue_on_commit("billing.tasks.process_webhook", event_id)


@transaction.atomic
def _take_lease(event_id: str, now: datetime) -> InboxEvent | None:
    event = (
        InboxEvent.objects.select_for_update()
        .filter(pk=event_id, processed_at=None, next_attempt_at__lte=now)
        .first()
    )
    if event is not None:
        event.attempts += 1
        event.next_attempt_at = now + LEASE
        event.save(update_fields=["attempts", "next_attempt_at"])
    return event


def _put_off(event: InboxEvent, error: Exception) -> None:
    is_last = event.attempts >= MAX_ATTEMPTS
    next_attempt_at = None if is_last else schedule_retry(attempts=event.attempts, now=timezone.now())
    reason = f"{type(error).__name__}: {error}"[:300]
    InboxEvent.objects.filter(pk=event.pk).update(next_attempt_at=next_attempt_at, last_error=reason)
    WEBHOOKS_PROCESSED.labels("failed" if is_last else "put_off").inc()
    log.exception("webhook_failed", event_id=event.pk, event_type=event.event_type, attempts=event.attempts)
