"""Celery tasks. Each takes an id and calls one service, which is safe to run twice.

A lost task is enqueued again by `sweep_billing`.
"""

from uuid import UUID

import structlog
from celery import shared_task
from django.utils import timezone

from billing.services.corrections.report_correction import report_correction as report_correction_service
from billing.services.metering.report_usage import report_usage as report_usage_service
from billing.services.notifications.send_notification import send_notification as send_notification_service
from billing.services.reconciliation.reconcile import reconcile
from billing.services.subscriptions.choose_plan import open_subscription as open_subscription_service
from billing.services.sweep_billing import sweep_billing as sweep_billing_service
from billing.services.webhooks.process_webhook import process_webhook as process_webhook_service
from billing.services.webhooks.prune_events import prune_events
from billing.stripe_gateway.errors import StripeRejected, StripeUnavailable

log = structlog.get_logger(__name__)


@shared_task
def report_usage(usage_id: str) -> None:
    report_usage_service(usage_id=UUID(usage_id))


@shared_task
def report_correction(correction_id: str) -> None:
    report_correction_service(correction_id=UUID(correction_id))


@shared_task
def send_notification(notification_id: str) -> None:
    send_notification_service(notification_id=UUID(notification_id))


@shared_task
def open_subscription(customer_id: str) -> None:
    try:
        open_subscription_service(customer_id=UUID(customer_id))
    except (StripeUnavailable, StripeRejected):
        return  # the gateway has logged it; the sweep retries the former, and staff handle the latter


@shared_task
def process_webhook(event_id: str) -> None:
    process_webhook_service(event_id=event_id)


@shared_task
def sweep_billing() -> None:
    sweep_billing_service()


# Runs longer than other tasks. With late acknowledgment the broker would redeliver it while it still runs.
@shared_task(acks_late=False, time_limit=3600)
def reconcile_billing() -> None:
    try:
        reconcile(at=timezone.now())
    except (StripeUnavailable, StripeRejected) as error:
        log.error("reconciliation_failed", error=str(error))


@shared_task(acks_late=False, time_limit=3600)
def prune_billing() -> None:
    prune_events(at=timezone.now())
