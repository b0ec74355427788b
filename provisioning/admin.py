"""Staff admin pages of signups and outgoing mail."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils import timezone

from core.admin.pages import ReadOnlyAdmin
from core.outbox.admin import OutboxFilter, RetryMixin
from provisioning.models import OutgoingMail, ProvisioningEvent, ProvisioningRun, SignupRequest, TrialGrant


@admin.register(ProvisioningEvent)
class ProvisioningEventAdmin(RetryMixin, ReadOnlyAdmin):
    list_display = ("customer", "step", "status", "due_at", "attempts", "done_at", "last_error")
    list_filter = (OutboxFilter, "status", "step", "due_at")
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__email", "last_error")
    actions = ("retry_now",)

    def list_retryable(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Exclude mails scheduled for a later day."""
        return queryset.filter(due_at__lte=timezone.now())


@admin.register(ProvisioningRun)
class ProvisioningRunAdmin(ReadOnlyAdmin):
    """When each customer's provisioning was found complete."""

    list_display = ("customer", "steps", "started_at", "completed_at")
    list_filter = (("completed_at", admin.EmptyFieldListFilter), "started_at")
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__email")


@admin.register(OutgoingMail)
class OutgoingMailAdmin(RetryMixin, ReadOnlyAdmin):
    """Mails with codes and links, without their text. Rows are deleted after MAIL_RETENTION_DAYS."""

    list_display = fields = ("to", "status", "created_at", "sent_at", "attempts", "last_error")
    list_filter = (OutboxFilter, "status", "created_at")
    search_fields = ("to", "last_error")
    actions = ("retry_now",)
    deferred = ("text", "html")


@admin.register(SignupRequest)
class SignupRequestAdmin(ReadOnlyAdmin):
    """Unconfirmed signups, without the hashes of codes, passwords and keys."""

    list_display = fields = ("email", "name", "source", "asked_from", "created_at", "expires_at", "attempts")
    list_filter = ("source", "created_at")
    search_fields = ("email", "name", "asked_from")


@admin.register(TrialGrant)
class TrialGrantAdmin(ReadOnlyAdmin):
    """Which mailboxes have had a trial, and for which organization it counts."""

    list_display = ("mailbox", "organization", "customer", "granted_at")
    list_select_related = ("customer",)
    search_fields = ("mailbox", "organization", "customer__name")
