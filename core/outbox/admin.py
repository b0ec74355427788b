"""The filter and the action that the staff pages of all outbox tables share."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from .models import OPEN, PARKED, is_due, is_leased, is_waiting
from .operators import retry_now


class OutboxFilter(admin.SimpleListFilter):
    title, parameter_name = "progress", "progress"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("due", "Due"),
            ("leased", "Leased by a worker"),
            ("waiting", "Scheduled for later"),
            ("parked", "Parked: waits for staff"),
            ("done", "Done"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = timezone.now()
        conditions: dict[str | None, Q] = {
            "due": is_due(now),
            "leased": is_leased(now),
            "waiting": is_waiting(now),
            "parked": Q(status=PARKED),
            "done": ~Q(status__in=OPEN),
        }
        return queryset.filter(conditions.get(self.value(), Q()))


class RetryMixin:
    """The action *Retry now*, for a page that lists it in `actions`."""

    model: Any

    def has_retry_permission(self, request: HttpRequest) -> bool:
        meta = self.model._meta
        return request.user.has_perm(f"{meta.app_label}.change_{meta.model_name}")

    def list_retryable(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the selected rows that may be retried now."""
        return queryset

    @admin.action(description="Retry now", permissions=("retry",))
    def retry_now(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = retry_now(self.list_retryable(queryset), at=timezone.now())
        message = (
            f"{count} queued: the sweep enqueues them within a minute. Rows leased by a worker are unchanged."
        )
        self.message_user(request, message, messages.SUCCESS)  # type: ignore[attr-defined]  # of ModelAdmin
