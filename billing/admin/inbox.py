"""The webhook inbox in the admin."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from billing.models import InboxEvent
from billing.services.webhooks.process_webhook import replay_webhook
from core.admin.pages import ReadOnlyAdmin
from core.outbox.admin import OutboxFilter, RetryMixin


@admin.register(InboxEvent)
class InboxEventAdmin(RetryMixin, ReadOnlyAdmin):
    list_display = ("event_type", "event_id", "received_at", "processed_at", "attempts", "last_error")
    list_filter = (OutboxFilter, "event_type", "received_at")
    search_fields = ("event_id", "event_type", "last_error")
    date_hierarchy = "received_at"
    actions = ("retry_now", "replay")
    deferred = ("payload",)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.change_inboxevent")

    @admin.action(description="Process again", permissions=("replay",))
    def replay(self, request: HttpRequest, queryset: QuerySet[InboxEvent]) -> None:
        for event in queryset:
            replay_webhook(event_id=event.pk, at=timezone.now())
        self.message_user(request, "Queued.", messages.SUCCESS)
