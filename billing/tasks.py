"""What Celery runs. Ids in, one service called: everything may run twice, or not at all until the sweep."""

from uuid import UUID

from celery import shared_task

from . import services, stripe_gateway


@shared_task
def report_usage(usage_id: str) -> None:
    services.report_usage(usage_id=UUID(usage_id))


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
