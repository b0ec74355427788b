"""Staff pages: results stored by the Action, read-only, and each customer's storage limit."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from core.admin.pages import ReadOnlyAdmin, StaffAdmin
from phases.models import PhaseExecution, Repository, StorageUse
from phases.selectors.storage import annotate_storage
from phases.services.set_storage_limit import set_storage_limit
from phases.sizes import format_size


@admin.register(Repository)
class RepositoryAdmin(ReadOnlyAdmin):
    list_display = ("full_name", "customer", "first_seen_at")
    list_filter = ("first_seen_at",)
    list_select_related = ("forge_account__customer",)
    search_fields = ("name", "forge_account__namespace", "forge_account__customer__name")

    @admin.display(ordering="forge_account__customer__name")
    def customer(self, repository: Repository) -> str:
        return repository.forge_account.customer.name


@admin.register(PhaseExecution)
class PhaseExecutionAdmin(ReadOnlyAdmin):
    list_display = (
        "phase",
        "outcome",
        "repository",
        "issue_number",
        "customer",
        "updated_at",
        "announced_at",
    )
    list_filter = ("phase", "outcome", "updated_at")
    list_select_related = ("repository__forge_account", "customer")
    search_fields = ("commit_sha", "=issue_number", "repository__name", "customer__name", "customer__email")
    date_hierarchy = "updated_at"
    deferred = ("data",)


@admin.register(StorageUse)
class StorageUseAdmin(StaffAdmin):
    """Storage per customer. Staff may set the limit; the usage is read-only."""

    list_display = ("customer", "used", "limit", "limit_mb")
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__email")
    ordering = ("-stored_bytes",)
    fields = ("customer", "used", "limit", "limit_mb")
    readonly_fields = ("customer", "used", "limit")

    def get_queryset(self, request: HttpRequest) -> Any:
        return annotate_storage(super().get_queryset(request), customer="customer_id")

    @admin.display(ordering="stored_bytes")
    def used(self, use: StorageUse) -> str:
        return format_size(use.stored_bytes)

    @admin.display(description="may store")
    def limit(self, use: Any) -> str:
        return format_size(use.storage_limit)

    def save_model(self, request: HttpRequest, obj: StorageUse, form: Any, change: bool) -> None:
        """Save through the service, which writes only the limit: `save` would overwrite a newer usage."""
        set_storage_limit(
            customer=obj.customer,
            limit_mb=obj.limit_mb,
            by=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: StorageUse | None = None) -> bool:
        return False
