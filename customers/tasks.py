"""Celery tasks of the customers app."""

from celery import shared_task
from django.utils import timezone

from core.redis.client import RedisUnavailable
from customers.services.expire_invitations import expire_invitations as expire_invitations_service
from customers.services.flush_key_uses import flush_key_uses as flush_key_uses_service

from .api.idempotency import prune_answers


@shared_task
def flush_key_uses() -> None:
    try:
        flush_key_uses_service()
    except RedisUnavailable:
        return  # already logged; the next run writes the buffered uses


@shared_task
def expire_invitations() -> None:
    expire_invitations_service(at=timezone.now())


@shared_task
def prune_idempotent_answers() -> None:
    prune_answers(at=timezone.now())
