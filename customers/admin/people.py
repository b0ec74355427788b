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

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """What staff changes of a member stands in their customer's audit log."""
        super().save_model(request, obj, form, change)
        membership = get_membership(obj) if change and form.changed_data else None
        if membership is not None:
            services.record_act(
                customer=membership.customer,
                act=AuditEntry.Act.STAFF_ACTED,
                actor=request.user,  # type: ignore[arg-type]
                subject=f"{obj.email}: {', '.join(form.changed_data)}",
                at=timezone.now(),
            )
