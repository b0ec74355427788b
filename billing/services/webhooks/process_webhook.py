"""Webhooks from Stripe are kept first, and processed later."""

import json
import re
from contextlib import suppress
from datetime import datetime

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from billing.metrics import (
    PAYMENT_EVENTS,
    PAYMENTS,
    WEBHOOK_LAG,
    WEBHOOKS_PROCESSED,
    WEBHOOKS_RECEIVED,
)
from billing.models import InboxEvent
from billing.services.webhooks.handlers import HANDLERS, handle_webhook
from billing.stripe_gateway.errors import BadSignature
from billing.stripe_gateway.webhooks import verify_webhook
from core import outbox
from core.errors import DomainError

log = structlog.get_logger(__name__)

NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z", re.ASCII)


class WebhookRefused(DomainError):
    message = "The webhook's signature or body is not right."


def receive_webhook(*, payload: bytes, signature: str) -> None:
    """Keep a signed event and ask for its processing on commit. A duplicate is accepted and changes nothing.

    Raises WebhookRefused, and keeps nothing, unless one of our endpoints' secrets signed it. Calls nobody.
    """
    try:
        text = payload.decode("utf-8")
        verify_webhook(payload=text, signature=signature)
        event = json.loads(text)
        event_id, event_type = event["id"], event["type"]
    except (BadSignature, ValueError, KeyError, TypeError, RecursionError) as error:
        raise WebhookRefused from error
    if not (_is_name(event_id) and _is_name(event_type)):
        raise WebhookRefused
    kept = InboxEvent(event_id=event_id, event_type=event_type, payload=text)
    # A duplicate has its row: its processing is asked for all the same, in case that was lost.
    with suppress(IntegrityError), transaction.atomic():
        kept.save(force_insert=True)
        transaction.on_commit(WEBHOOKS_RECEIVED.labels(_name_type(event_type)).inc)
    outbox.enqueue(kept)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and NAME.match(value) is not None


def _name_type(event_type: str) -> str:
    """As a label: one of those that we ask Stripe for."""
    return event_type if event_type in HANDLERS else "other"


def process_webhook(*, event_id: str) -> None:
    """Action on a kept event that is due. Repeating it is safe; a failure is rescheduled with a longer wait.

    After the last attempt the event waits for staff. What it does is in `webhook_handlers.py`.
    """
    event = outbox.claim(InboxEvent.objects.all(), pk=event_id)
    if event is None:
        return
    try:
        handle_webhook(event_type=event.event_type, body=event.payload)
    except Exception as error:
        if outbox.fail(event, outbox.describe(error)) and event.status == InboxEvent.Status.PENDING:
            WEBHOOKS_PROCESSED.labels("rescheduled").inc()
        log.exception(
            "webhook_failed", event_id=event_id, event_type=event.event_type, attempts=event.attempts
        )
        return
    now = timezone.now()
    if outbox.complete(event, status=InboxEvent.Status.PROCESSED, processed_at=now):
        _count(event, now)


def _count(event: InboxEvent, now: datetime) -> None:
    WEBHOOKS_PROCESSED.labels("processed").inc()
    WEBHOOK_LAG.observe((now - event.received_at).total_seconds())
    if event.event_type in PAYMENT_EVENTS:
        PAYMENTS.labels(PAYMENT_EVENTS[event.event_type]).inc()


def replay_webhook(*, event_id: str, at: datetime) -> None:
    """Process an event again, also one that was processed, once the reason of its failure is fixed.

    One so old that its body is pruned stays as it is, and so does one that a worker has.
    """
    kept = InboxEvent.objects.filter(pk=event_id).exclude(payload="")
    with transaction.atomic():
        outbox.reopen(kept, at=at, processed_at=None)
        outbox.retry_now(kept, at=at)
        for event in kept:
            outbox.enqueue(event)
