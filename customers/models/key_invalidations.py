"""Pending invalidations: keys that must be removed from the key cache before its next lease."""

import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import structlog
from django.apps import apps
from django.conf import settings
from django.db import connections, models, router, transaction
from django.utils import timezone

from core.redis.client import RedisUnavailable
from customers import key_cache
from customers.metrics import KEY_CACHE_ERRORS

log = structlog.get_logger(__name__)

# Wait between attempts while Redis is unavailable, and the factor by which the wait exceeds a lease, since
# the clocks of two machines may drift.
RETRY_SECONDS = 0.2
CLOCK_DRIFT_FACTOR = 1.05


class KeyInvalidationQuerySet(models.QuerySet["KeyInvalidation"]):
    def mark(self, *, key_hashes: Iterable[str] = (), customers: Iterable[UUID] = ()) -> None:
        """Remove these keys, and all keys of these customers, from the cache once the transaction commits.

        Call inside the transaction that makes the change. After its commit hooks have run, no process serves
        the old entries: while Redis is unavailable, the hook waits until every cache lease has ended.
        """
        rows = [KeyInvalidation(key_hash=each) for each in key_hashes]
        rows += [KeyInvalidation(customer_id=each) for each in customers]
        if not rows or not key_cache.is_on():
            return
        using = router.db_for_write(KeyInvalidation)
        with transaction.atomic(using=using):
            self.bulk_create(rows)
            _invalidate_now(rows)
            _invalidate_on_commit(using)

    def invalidate_marked(self) -> None:
        """Remove marked keys from the cache, then delete the marks. Safe to repeat.

        Raises RedisUnavailable.
        """
        rows = list(self.all())
        if rows:
            key_cache.invalidate(_list_key_hashes(rows))
            self.filter(pk__in=[row.pk for row in rows]).delete()


class KeyInvalidation(models.Model):
    """A key, or all keys of a customer, that the cache of API-key lookups must drop.

    Written with the change, deleted once the cache has dropped it. No foreign keys: it may outlive both.
    """

    key_hash = models.CharField(max_length=64, blank=True)
    customer_id = models.UUIDField(null=True, blank=True)
    marked_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = KeyInvalidationQuerySet.as_manager()

    class Meta:
        verbose_name = "key invalidation"
        verbose_name_plural = "key invalidations"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(key_hash="", customer_id__isnull=False)
                | (~models.Q(key_hash="") & models.Q(customer_id=None)),
                name="key_invalidation_is_one_or_all",
            ),
        )

    def __str__(self) -> str:
        return f"all keys of {self.customer_id}" if self.customer_id else f"{self.key_hash[:12]}…"


def _list_key_hashes(rows: list[KeyInvalidation]) -> list[str]:
    customers = [row.customer_id for row in rows if row.customer_id]
    keys: Any = apps.get_model("customers", "ApiKey")
    theirs = keys.objects.filter(customer_id__in=customers).values_list("key_hash", flat=True)
    return [row.key_hash for row in rows if row.key_hash] + (list(theirs) if customers else [])


def _invalidate_now(rows: list[KeyInvalidation]) -> None:
    """Invalidate inside the transaction too, so that its own later reads are correct.

    Other processes may cache the old state until the commit, so everything is invalidated again afterwards.
    """
    try:
        key_cache.invalidate(_list_key_hashes(rows))
    except RedisUnavailable:
        KEY_CACHE_ERRORS.inc()


def _invalidate_on_commit(using: str) -> None:
    """Register the commit hook once per transaction, however many keys it marks."""
    connection = connections[using]
    # Django has no public list of hooks. Each is a tuple of its savepoints, its function and a flag.
    if all(hook[1] is not _invalidate_or_wait for hook in connection.run_on_commit):
        transaction.on_commit(_invalidate_or_wait, using=using)


def _invalidate_or_wait() -> None:
    """Invalidate now, or return when every cache lease has certainly ended.

    The marks stay in the second case: whoever starts the next lease processes them first.
    """
    ends_at = time.monotonic() + settings.KEY_CACHE_LEASE_SECONDS * CLOCK_DRIFT_FACTOR
    while True:
        try:
            return KeyInvalidation.objects.invalidate_marked()
        except RedisUnavailable:
            KEY_CACHE_ERRORS.inc()
            left = ends_at - time.monotonic()
            if left <= 0:
                log.error("key_cache_invalidation_failed", marked=KeyInvalidation.objects.count())
                return None
            time.sleep(min(RETRY_SECONDS, left))
