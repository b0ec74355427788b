"""What Celery runs for customers."""

from celery import shared_task
from django.utils import timezone

from core.redis.client import RedisAway

from . import services
from .api.idempotency import prune_answers


@shared_task
def flush_key_uses() -> None:
    try:
        services.flush_key_uses()
    except RedisAway:
        return  # logged by the link; what is gathered waits for the next time


@shared_task
def expire_invitations() -> None:
    services.expire_invitations(at=timezone.now())


@shared_task
def prune_idempotent_answers() -> None:
    prune_answers(at=timezone.now())
