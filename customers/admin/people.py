"""People who log in."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from customers import services
from customers.models import AuditEntry, User
from customers.selectors import get_membership


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "password1", "password2")}),)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a customer must not lose its owner: switch the person off instead

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> Any:
        """What staff changes of a member, their password too, stands in their customer's audit log."""
        logged = super().log_change(request, obj, message)
        membership = get_membership(obj)
        if membership is not None and message:
            services.record_act(
                customer=membership.customer,
                act=AuditEntry.Act.STAFF_ACTED,
                actor=request.user,  # type: ignore[arg-type]
                subject=f"{obj.email}: {logged.get_change_message()}",
                at=timezone.now(),
            )
        return logged
