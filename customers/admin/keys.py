"""Staff admin pages of API keys and pending cache invalidations."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.admin.pages import ReadOnlyAdmin, StaffAdmin
from core.redis.client import RedisUnavailable
from customers import key_cache
from customers.models import ApiKey, KeyInvalidation
from customers.services.change_by_staff import rename_api_key
from customers.services.manage_keys import revoke_api_key


@admin.register(ApiKey)
class ApiKeyAdmin(StaffAdmin):
    """View, rename and revoke keys. Only a key's owner may create one, since it is shown once."""

    list_display = ("prefix", "name", "customer", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "created_at", "last_used_at")
    list_select_related = ("customer",)
    search_fields = ("prefix", "name", "customer__name", "customer__email")
    fields = (
        "customer",
        "name",
        "prefix",
        "created_by",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    readonly_fields = tuple(name for name in fields if name != "name")
    actions = ("revoke", "clear_cache")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        rename_api_key(
            api_key=obj,
            name=obj.name,
            by=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )

    @admin.action(description="Revoke: the key is rejected from now on", permissions=("change",))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        now = timezone.now()
        with transaction.atomic():  # invalidates the key cache once for all
            for api_key in queryset:
                revoke_api_key(api_key=api_key, at=now, by=request.user)  # type: ignore[arg-type]
        self.message_user(request, f"{len(queryset)} keys revoked.", messages.SUCCESS)

    @admin.action(description="Clear the key cache, of all keys", permissions=("change",))
    def clear_cache(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        try:
            self.message_user(request, f"{key_cache.clear()} entries removed.", messages.SUCCESS)
        except RedisUnavailable:
            self.message_user(request, "The key cache is off: Redis is unavailable.", messages.WARNING)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(KeyInvalidation)
class KeyInvalidationAdmin(ReadOnlyAdmin):
    """Keys that could not be removed from the cache yet. Empty while Redis is available."""

    list_display = ("id", "customer_id", "marked_at")
    ordering = ("marked_at",)
