"""Staff admin pages of the staff audit log and of staff's permission groups."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from core.admin.pages import ReadOnlyAdmin, StaffAdmin
from customers.models import StaffAction


@admin.register(StaffAction)
class StaffActionAdmin(ReadOnlyAdmin):
    """The staff audit log. Only superusers read it; nobody edits it."""

    list_display = ("at", "staff_name", "action", "subject", "detail", "customer", "address", "device")
    list_filter = ("action", "at")
    list_select_related = ("customer",)
    search_fields = ("staff_name", "subject", "detail", "customer__name", "address")
    date_hierarchy = "at"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)


@admin.register(Group)
class GroupAdmin(StaffAdmin):
    """Groups and their permissions. Only for superusers: other staff could give themselves permissions."""

    list_display = ("name",)
    search_fields = ("name",)
    fields = ("name", "permissions")
    filter_horizontal = ("permissions",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Name the group's new permissions, so that the staff audit log shows who could do what when."""
        changed: list[Any] = super().construct_change_message(request, form, formsets, add)
        if "permissions" in form.changed_data:
            names = sorted(each.codename for each in form.cleaned_data["permissions"])
            changed.append({"changed": {"fields": ["permissions: " + (", ".join(names) or "none")]}})
        return changed
