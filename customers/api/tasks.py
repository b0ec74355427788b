"""What Celery runs for the API."""

from celery import shared_task
from django.utils import timezone

from customers.api.idempotency import prune_answers


@shared_task
def prune_idempotent_answers() -> None:
    prune_answers(at=timezone.now())
