"""What Celery runs. Ids in, one service called: everything may run twice, or not at all until the sweep."""

from uuid import UUID

import structlog
from celery import shared_task
from django.utils import timezone

from . import services, stripe_gateway

log = structlog.get_logger(__name__)


@shared_task
def report_usage(usage_id: str) -> None:
    services.report_usage(usage_id=UUID(usage_id))


@shared_task
def report_correction(correction_id: str) -> None:
    services.report_correction(correction_id=UUID(correction_id))


@shared_task
def mail_notice(notice_id: str) -> None:
    services.mail_notice(notice_id=UUID(notice_id))


@shared_task
def open_subscription(customer_id: str) -> None:
    try:
        services.open_subscription(customer_id=UUID(customer_id))
    except (stripe_gateway.StripeUnavailable, stripe_gateway.StripeRefused):
        return  # logged by the gateway; the sweep tries the former again, staff see the latter


@shared_task
def process_webhook(event_id: str) -> None:
    services.process_webhook(event_id=event_id)


@shared_task
def sweep_billing() -> None:
    services.sweep_billing()


# Longer than other tasks, and not acknowledged late: a broker would hand it out a second time meanwhile.
@shared_task(acks_late=False, time_limit=3600)
def reconcile_billing() -> None:
    try:
        services.reconcile(at=timezone.now())
    except (stripe_gateway.StripeUnavailable, stripe_gateway.StripeRefused) as error:
        log.error("reconciliation_failed", error=str(error))


@shared_task(acks_late=False, time_limit=3600)
def prune_billing() -> None:
    services.prune_events(at=timezone.now())
