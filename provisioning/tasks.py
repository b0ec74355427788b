"""Celery tasks of the provisioning app. Each takes ids and calls one service."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from provisioning.services.prune_mails import prune_mails as prune_mails_service
from provisioning.services.prune_signups import prune_signups as prune_signups_service
from provisioning.services.run_step import run_step as run_step_service
from provisioning.services.send_mail import send_mail as send_mail_service
from provisioning.services.sweep_provisioning import sweep_provisioning as sweep_provisioning_service


@shared_task
def run_step(event_id: str) -> None:
    run_step_service(event_id=UUID(event_id))


@shared_task
def sweep_provisioning() -> None:
    sweep_provisioning_service()


@shared_task
def prune_signups() -> None:
    prune_signups_service(at=timezone.now())


@shared_task(acks_late=False, time_limit=3600)
def prune_mails() -> None:
    prune_mails_service(at=timezone.now())


@shared_task
def send_mail(mail_id: str) -> None:
    send_mail_service(mail_id=UUID(mail_id))
