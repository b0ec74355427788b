"""What Celery runs. Ids in, one service called: everything may run twice, or not at all until the sweep."""

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
        return  # logged by the gateway; the sweep tries the former again, staff see the latter


@shared_task
def process_webhook(event_id: str) -> None:
    process_webhook_service(event_id=event_id)


@shared_task
def sweep_billing() -> None:
    sweep_billing_service()


# Longer than other tasks, and not acknowledged late: a broker would hand it out a second time meanwhile.
@shared_task(acks_late=False, time_limit=3600)
def reconcile_billing() -> None:
    try:
        reconcile(at=timezone.now())
    except (StripeUnavailable, StripeRejected) as error:
        log.error("reconciliation_failed", error=str(error))


@shared_task(acks_late=False, time_limit=3600)
def prune_billing() -> None:
    prune_events(at=timezone.now())
