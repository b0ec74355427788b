"""Corrections in the admin. Staff void or credit a fix by adding a row; rows are never edited."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from billing.models import CorrectionReport, UsageCorrection
from billing.services.corrections.correct_usage import correct_usage
from core.admin.pages import ReadOnlyAdmin, StaffAdmin
from core.outbox.admin import OutboxFilter, RetryMixin
from customers.models import AuditLogEntry, User
from customers.services.record_audit_log_entry import record_audit_log_entry


@admin.register(UsageCorrection)
class UsageCorrectionAdmin(StaffAdmin):
    list_display = ("customer", "usage", "kind", "reason", "made_by", "created_at")
    list_filter = ("kind", "created_at")
    list_select_related = ("customer", "usage", "made_by")
    search_fields = ("usage__id", "customer__name", "customer__email", "reason")
    fields = ("usage", "kind", "reason")
    raw_id_fields = ("usage",)

    def has_change_permission(self, request: HttpRequest, obj: UsageCorrection | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: UsageCorrection | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: UsageCorrection, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        made = correct_usage(
            usage=obj.usage,
            kind=UsageCorrection.Kind(obj.kind),
            reason=obj.reason,
            made_by=request.user,
            at=timezone.now(),
        )
        # Django's log entry and link are made from `obj`, which is not the object that the service has saved.
        obj.pk, obj.customer_id = made.pk, made.customer_id
        record_audit_log_entry(
            customer=made.customer,
            action=AuditLogEntry.Action.FIX_CORRECTED,
            actor=request.user,
            subject=f"{obj.usage.repository} #{obj.usage.issue_number}: {made.get_kind_display().lower()}",
            at=timezone.now(),
        )


@admin.register(CorrectionReport)
class CorrectionReportAdmin(RetryMixin, ReadOnlyAdmin):
    list_display = (
        "correction",
        "status",
        "resolution",
        "amount_cents",
        "attempts",
        "next_attempt_at",
        "done_at",
        "last_error",
    )
    list_filter = (OutboxFilter, "status", "resolution")
    list_select_related = ("correction__usage",)
    search_fields = ("correction__usage__id", "correction__customer__name", "stripe_id", "last_error")
    actions = ("retry_now",)
