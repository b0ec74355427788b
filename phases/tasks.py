"""Celery tasks of phases."""

from celery import shared_task

from phases.services.recount_storage import recount_all_storage


@shared_task(acks_late=False, time_limit=3600)
def recount_storage() -> None:
    for _ in recount_all_storage():
        pass
