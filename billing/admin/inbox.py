"""What Stripe told us, and what of it waits for staff."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from billing import services
from billing.models import InboxEvent
from core.admin.pages import ReadOnlyAdmin


class ProgressFilter(admin.SimpleListFilter):
    title, parameter_name = "progress", "progress"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("processed", "Processed"),
            ("trying", "Still being tried"),
            ("staff", "Failed for good: waits for staff"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[InboxEvent]) -> QuerySet[InboxEvent]:
        conditions: dict[str | None, dict[str, bool]] = {
            "processed": {"processed_at__isnull": False},
            "trying": {"processed_at__isnull": True, "next_attempt_at__isnull": False},
            "staff": {"processed_at__isnull": True, "next_attempt_at__isnull": True},
        }
        return queryset.filter(**conditions.get(self.value(), {}))


@admin.register(InboxEvent)
class InboxEventAdmin(ReadOnlyAdmin):
    list_display = ("event_type", "event_id", "received_at", "processed_at", "attempts", "last_error")
    list_filter = (ProgressFilter, "event_type", "received_at")
    search_fields = ("event_id", "event_type", "last_error")
    date_hierarchy = "received_at"
    actions = ("replay",)
    deferred = ("payload",)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.change_inboxevent")

    @admin.action(description="Process again", permissions=("replay",))
    def replay(self, request: HttpRequest, queryset: QuerySet[InboxEvent]) -> None:
        for event in queryset:
            services.replay_webhook(event_id=event.pk, at=timezone.now())
        self.message_user(request, "Queued.", messages.SUCCESS)
