"""Staff admin page of people who log in.

No form sets an address, a password or permissions: those are the person's own or a superuser's to change.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.admin.pages import StaffAdmin
from customers.models import User
from customers.services.change_by_staff import change_person
from customers.services.change_by_staff import send_password_reset as send_password_reset_service
from customers.services.staff_access import end_staff_access as end_staff_access_service
from customers.services.staff_access import grant_staff_access as grant_staff_access_service


@admin.register(User)
class UserAdmin(StaffAdmin):
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    fields = (
        "email",
        "name",
        "is_active",
        "is_staff",
        "is_superuser",
        "in_groups",
        "last_login",
        "date_joined",
    )
    readonly_fields = tuple(name for name in fields if name not in ("name", "is_active"))
    actions = ("send_password_reset", "grant_staff_access", "end_staff_access")

    @admin.display(description="groups")
    def in_groups(self, person: User) -> str:
        return ", ".join(str(group) for group in person.groups.all()) or "-"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # signup and invitations make sure that the address is confirmed

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a customer must keep its owner: deactivate the person instead

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        is_above = obj is not None and (obj.is_staff or obj.is_superuser)
        return allowed and (request.user.is_superuser or not is_above)

    def has_grant_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        change_person(
            person=obj,
            name=obj.name,
            is_active=obj.is_active,
            by=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Add an action per group for superusers, which grants staff access with that group's permissions."""
        actions: dict[str, Any] = super().get_actions(request)
        if actions and self.has_grant_permission(request):
            for group in Group.objects.order_by("name"):
                name, words = f"grant_group_{group.pk}", f"Grant staff access, group {group}"
                actions[name] = (self.record(_grant(group), words), name, words)
        return actions

    @admin.action(description="Send a password reset link", permissions=("change",))
    def send_password_reset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            send_password_reset_service(
                person=person,
                by=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
                request=request,
            )
        self.message_user(request, f"{len(queryset)} mails queued.", messages.SUCCESS)

    @admin.action(description="Grant staff access without any permission", permissions=("grant",))
    def grant_staff_access(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        _grant_access(self, request, queryset, [])

    @admin.action(description="End staff access, groups and permissions", permissions=("grant",))
    def end_staff_access(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            end_staff_access_service(person=person, by=request.user, at=timezone.now())  # type: ignore[arg-type]
        self.message_user(request, f"{len(queryset)} people lost staff access.", messages.SUCCESS)


def _grant(group: Group) -> Callable[[UserAdmin, HttpRequest, QuerySet[User]], None]:
    def grant(page: UserAdmin, request: HttpRequest, queryset: QuerySet[User]) -> None:
        _grant_access(page, request, queryset, [group])

    return grant


def _grant_access(page: UserAdmin, request: HttpRequest, people: QuerySet[User], groups: list[Group]) -> None:
    for person in people:
        grant_staff_access_service(
            person=person,
            by=request.user,  # type: ignore[arg-type]
            groups=groups,
            at=timezone.now(),
        )
    page.message_user(request, f"{len(people)} people have staff access.", messages.SUCCESS)
