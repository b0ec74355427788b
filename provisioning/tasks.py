"""What Celery runs. Ids in, one service called."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task
def run_step(event_id: str) -> None:
    services.run_step(event_id=UUID(event_id))


@shared_task
def sweep_provisioning() -> None:
    services.sweep_provisioning()


@shared_task
def prune_signups() -> None:
    services.prune_signups(at=timezone.now())


@shared_task(acks_late=False, time_limit=3600)
def prune_mails() -> None:
    services.prune_mails(at=timezone.now())


@shared_task
def send_mail(mail_id: str) -> None:
    services.send_mail(mail_id=UUID(mail_id))
