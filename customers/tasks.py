"""What Celery runs for customers."""

from celery import shared_task
from django.utils import timezone

from core.redis.client import RedisAway

from . import services


@shared_task
def flush_key_uses() -> None:
    try:
        services.flush_key_uses()
    except RedisAway:
        return  # logged by the link; what is gathered waits for the next time


@shared_task
def expire_invitations() -> None:
    services.expire_invitations(at=timezone.now())
