"""The staff audit log: actions and logins of staff."""

import uuid
from typing import Any, NoReturn

from django.db import models
from django.utils import timezone

from .customer import Customer
from .people import User


class AppendOnly(TypeError):
    """Code tried to change or delete an entry of the staff audit log."""


class StaffActionQuerySet(models.QuerySet["StaffAction"]):
    def update(self, **fields: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly

    delete.queryset_only = True  # type: ignore[attr-defined]


class StaffAction(models.Model):
    """One action of a member of staff, with address and device. Append-only; only superusers read it.

    `staff_name` stays when the person is deleted. `staff` is None for a command on the server.
    """

    class Action(models.TextChoices):
        LOGGED_IN = "logged_in", "Logged in"
        LOGIN_FAILED = "login_failed", "Failed to log in"
        LOGGED_OUT = "logged_out", "Logged out"
        LOGIN_CHANGED = "login_changed", "Changed login settings"
        ADDED = "added", "Added"
        CHANGED = "changed", "Changed"
        DELETED = "deleted", "Deleted"
        RAN_ACTION = "ran_action", "Ran an action"
        ACCESS_GRANTED = "access_granted", "Granted staff access"
        ACCESS_ENDED = "access_ended", "Ended staff access"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    staff = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    staff_name = models.CharField(max_length=254)
    action = models.CharField(max_length=20, choices=Action.choices)
    subject = models.CharField(max_length=254, blank=True, help_text="The object that was changed.")
    detail = models.CharField(max_length=500, blank=True, help_text="What was changed, in words.")
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    address = models.GenericIPAddressField(null=True, blank=True)
    device = models.CharField(max_length=60, blank=True, help_text="Browser and system.")
    at = models.DateTimeField(default=timezone.now, editable=False)

    objects = StaffActionQuerySet.as_manager()

    class Meta:
        ordering = ("-at",)
        indexes = (models.Index(fields=("-at",), name="staff_action_latest"),)

    def __str__(self) -> str:
        return f"{self.staff_name}: {self.get_action_display()} {self.subject}".strip()

    def save(self, **options: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(**options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise AppendOnly
