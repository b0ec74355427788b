"""The usage ledger and its reports in the admin."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from billing.models import UsageRecord, UsageReport
from core.admin.pages import ReadOnlyAdmin
from core.outbox.admin import OutboxFilter, RetryMixin


@admin.register(UsageRecord)
class UsageRecordAdmin(ReadOnlyAdmin):
    list_display = (
        "customer",
        "repository",
        "issue_number",
        "coverage",
        "plan",
        "unit_price_cents",
        "occurred_at",
        "correct",
    )
    list_filter = ("coverage", "plan", ("correction", admin.EmptyFieldListFilter), "occurred_at")
    list_select_related = ("customer", "repository__forge_account", "correction")
    search_fields = ("id", "customer__name", "customer__email", "repository__name", "=issue_number")
    date_hierarchy = "occurred_at"

    @admin.display(description="correction")
    def correct(self, usage: UsageRecord) -> str:
        """Show the correction, or a link to make one."""
        if hasattr(usage, "correction"):
            return usage.correction.get_kind_display()
        address = reverse("admin:billing_usagecorrection_add")
        return format_html('<a href="{}?usage={}">Void or credit</a>', address, usage.pk)


@admin.register(UsageReport)
class UsageReportAdmin(RetryMixin, ReadOnlyAdmin):
    list_display = (
        "usage_id",
        "customer",
        "status",
        "attempts",
        "next_attempt_at",
        "reported_at",
        "last_error",
    )
    list_filter = (OutboxFilter, "status", "reported_at")
    list_select_related = ("usage__customer",)
    search_fields = ("usage__id", "usage__customer__name", "usage__customer__email", "last_error")
    actions = ("retry_now",)

    @admin.display(ordering="usage__customer__name")
    def customer(self, report: UsageReport) -> str:
        return report.usage.customer.name
