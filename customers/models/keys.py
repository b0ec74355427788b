"""API keys."""

import contextlib
import uuid
from functools import partial
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from core.redis.client import RedisUnavailable
from customers import key_cache

from .customer import Customer
from .key_invalidations import KeyInvalidation
from .people import User

# Fields that decide whether a key is valid and to which customer it belongs.
CACHED_FIELDS = frozenset({"customer", "customer_id", "key_hash", "expires_at", "revoked_at"})


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Queries that invalidate cached keys whenever a change affects them."""

    def active(self) -> "ApiKeyQuerySet":
        return self.filter(
            models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now()), revoked_at=None
        )

    def update(self, **fields: Any) -> int:
        if CACHED_FIELDS.isdisjoint(fields):
            return super().update(**fields)
        with transaction.atomic():
            return super(ApiKeyQuerySet, self._mark()).update(**fields)

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            return super(ApiKeyQuerySet, self._mark()).delete()

    delete.queryset_only = True  # type: ignore[attr-defined]

    def _mark(self) -> "ApiKeyQuerySet":
        """Lock the keys and mark them for invalidation; return exactly these keys.

        Rows that start to match the query meanwhile are not included: they are not marked.
        """
        hashes = dict(self.order_by().select_for_update(of=("self",)).values_list("pk", "key_hash"))
        KeyInvalidation.objects.mark(key_hashes=hashes.values())
        return ApiKey.objects.filter(pk__in=hashes)


class ApiKey(models.Model):
    """A key that the Action authenticates with.

    Only its SHA-256 is stored; `prefix` identifies it to people.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=14, editable=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_from = models.GenericIPAddressField(null=True, blank=True, editable=False)
    replaced_by = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="replaces", editable=False
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        verbose_name = "API key"
        verbose_name_plural = "API keys"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @transaction.atomic
    def save(self, **options: Any) -> None:
        is_new = self._state.adding
        fields = options.get("update_fields")
        super().save(**options)
        if is_new:
            transaction.on_commit(partial(_forget_failed_lookups, self.key_hash))
        elif fields is None or not CACHED_FIELDS.isdisjoint(fields):
            KeyInvalidation.objects.mark(key_hashes=[self.key_hash])

    @transaction.atomic
    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        KeyInvalidation.objects.mark(key_hashes=[self.key_hash])
        return super().delete(*args, **options)

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())


def _forget_failed_lookups(key_hash: str) -> None:
    """Remove a cached "invalid" result: somebody may have tried the key before it existed."""
    if key_cache.is_on():
        with contextlib.suppress(RedisUnavailable):
            key_cache.invalidate([key_hash])
