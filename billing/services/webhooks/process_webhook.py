"""Store Stripe's webhooks in the inbox, and process them from there."""

import json
import re
from contextlib import suppress
from datetime import datetime

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from billing.metrics import (
    OTHER_MODE,
    PAYMENT_EVENTS,
    PAYMENTS,
    WEBHOOK_LAG,
    WEBHOOKS_PROCESSED,
    WEBHOOKS_RECEIVED,
)
from billing.models import InboxEvent
from billing.services.webhooks.handlers import HANDLERS, handle_webhook
from billing.stripe_gateway.client import is_other_mode
from billing.stripe_gateway.errors import BadSignature
from billing.stripe_gateway.webhooks import verify_webhook
from core.errors import DomainError
from core.outbox import leases, operators
from core.outbox.sweep import enqueue

log = structlog.get_logger(__name__)

NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z", re.ASCII)


class WebhookRejected(DomainError):
    message = "The webhook's signature or body is invalid."


def receive_webhook(*, payload: bytes, signature: str) -> None:
    """Store a signed event in the inbox and enqueue its processing on commit.

    A duplicate is accepted and adds no row; neither does an event of Stripe's other mode, which is counted.
    Commits; makes no Stripe call. Raises WebhookRejected, and stores nothing, unless the signature matches a
    secret of one of our endpoints.
    """
    try:
        text = payload.decode("utf-8")
        verify_webhook(payload=text, signature=signature)
        event = json.loads(text)
        event_id, event_type = event["id"], event["type"]
    except (BadSignature, ValueError, KeyError, TypeError, RecursionError) as error:
        raise WebhookRejected from error
    if not (_is_name(event_id) and _is_name(event_type)):
        raise WebhookRejected
    if is_other_mode(event.get("livemode")):
        # Accepted: Stripe may send test events to a live endpoint too, and repeats for days what is rejected.
        # https://support.stripe.com/questions/connect-account-webhook-configurations
        OTHER_MODE.labels("event").inc()
        log.error("webhook_of_other_mode", event_id=event_id, event_type=event_type)
        return
    row = InboxEvent(event_id=event_id, event_type=event_type, payload=text)
    # The row of a duplicate exists. It is enqueued again all the same, in case its first task was lost.
    with suppress(IntegrityError), transaction.atomic():
        row.save(force_insert=True)
        transaction.on_commit(WEBHOOKS_RECEIVED.labels(_label_type(event_type)).inc)
    enqueue(row)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and NAME.match(value) is not None


def _label_type(event_type: str) -> str:
    """Return the metric label of an event type; unknown types share one, which bounds the label's values."""
    return event_type if event_type in HANDLERS else "other"


def process_webhook(*, event_id: str) -> None:
    """Process a stored event that is due. Safe to repeat; a failure is rescheduled with backoff, not raised.

    After the last attempt the event is parked for staff. `handlers.py` holds the handler of each type.
    """
    event = leases.claim(InboxEvent.objects.all(), pk=event_id)
    if event is None:
        return
    try:
        handle_webhook(event_type=event.event_type, body=event.payload)
    except Exception as error:
        if leases.fail(event, leases.describe(error)) and event.status == InboxEvent.Status.PENDING:
            WEBHOOKS_PROCESSED.labels("rescheduled").inc()
        log.exception(
            "webhook_failed", event_id=event_id, event_type=event.event_type, attempts=event.attempts
        )
        return
    now = timezone.now()
    if leases.complete(event, status=InboxEvent.Status.PROCESSED, processed_at=now):
        _count(event, now)


def _count(event: InboxEvent, now: datetime) -> None:
    WEBHOOKS_PROCESSED.labels("processed").inc()
    WEBHOOK_LAG.observe((now - event.received_at).total_seconds())
    if event.event_type in PAYMENT_EVENTS:
        PAYMENTS.labels(PAYMENT_EVENTS[event.event_type]).inc()


def replay_webhook(*, event_id: str, at: datetime) -> None:
    """Make a stored event due again, even a processed one, and enqueue it on commit.

    An event whose body has been pruned, or that a worker has leased, is left as it is. Commits; safe to
    repeat.
    """
    rows = InboxEvent.objects.filter(pk=event_id).exclude(payload="")
    with transaction.atomic():
        # The first covers done and parked rows, the second those that wait for their next attempt.
        operators.reopen(rows, at=at, processed_at=None)
        operators.retry_now(rows, at=at)
        for event in rows:
            enqueue(event)
