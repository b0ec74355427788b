"""The Celery task of the business metrics."""

from celery import shared_task
from django.utils import timezone

from rsolv.staff.business_metrics.services import take_business_metrics as take


@shared_task
def take_business_metrics() -> None:
    take(at=timezone.now())
