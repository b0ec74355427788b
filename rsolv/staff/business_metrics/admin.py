"""Admin page of the business metrics: one row a day, with formatted ratios and amounts."""

from django.contrib import admin

from core.admin.pages import ReadOnlyAdmin
from core.formats import format_cents
from rsolv.staff.business_metrics.formulas import Ratio
from rsolv.staff.business_metrics.models import DailyBusinessMetrics


@admin.register(DailyBusinessMetrics)
class DailyBusinessMetricsAdmin(ReadOnlyAdmin):
    list_display = (
        "day",
        "recurring",
        "collected",
        "signups",
        "activation",
        "conversion",
        "churn",
        "first_scan",
        "on_trial",
        "on_payg",
        "on_teams",
        "payment_failed",
    )

    @admin.display(description="activation")
    def activation(self, row: DailyBusinessMetrics) -> str:
        return _show(row.activation)

    @admin.display(description="conversion")
    def conversion(self, row: DailyBusinessMetrics) -> str:
        return _show(row.conversion)

    @admin.display(description="churn")
    def churn(self, row: DailyBusinessMetrics) -> str:
        return _show(row.churn)

    @admin.display(description="recurring", ordering="recurring_cents")
    def recurring(self, row: DailyBusinessMetrics) -> str:
        return format_cents(row.recurring_cents)

    @admin.display(description="collected", ordering="collected_cents")
    def collected(self, row: DailyBusinessMetrics) -> str:
        return format_cents(row.collected_cents)

    @admin.display(description="first scan after", ordering="first_scan_median_seconds")
    def first_scan(self, row: DailyBusinessMetrics) -> str:
        seconds = row.first_scan_median_seconds
        return "–" if seconds is None else f"{seconds / 3600:.1f} h"


def _show(ratio: Ratio) -> str:
    """`12 % (3 of 25)`, or a dash if there is no value."""
    return "–" if ratio.value is None else f"{ratio.value:.0%} ({ratio.part} of {ratio.whole})"
