"""What Celery runs. Ids in, one service called."""

from uuid import UUID

from celery import shared_task

from . import services


@shared_task
def run_step(event_id: str) -> None:
    services.run_step(event_id=UUID(event_id))


@shared_task
def sweep_provisioning() -> None:
    services.sweep_provisioning()


@shared_task
def send_mail(mail_id: str) -> None:
    services.send_mail(mail_id=UUID(mail_id))
