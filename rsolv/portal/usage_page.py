"""Usage over time, as charts with their tables, and as CSV."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from billing.selectors.entitlements import get_entitlement
from billing.usage_text import describe_cost, describe_usage
from core.formats import MONTHS, format_date
from customers.access import find_origin, member_page
from customers.csv_rows import write_rows
from customers.models import AuditLogEntry, Membership
from customers.services.record_audit_log_entry import record_audit_log_entry
from phases.links import find_pull_request

from .overview import project_entitlement
from .usage_counts import Series, Step, count_usage, list_usage

SEVERITY_WORDS = {
    "critical": gettext_lazy("Critical"),
    "high": gettext_lazy("High"),
    "medium": gettext_lazy("Medium"),
    "low": gettext_lazy("Low"),
    "": gettext_lazy("Not stated"),
}
COLUMNS = ("at", "repository", "issue", "severity", "vulnerability", "coverage", "plan", "pull_request")
# In the order of COLUMNS, with namespace and name for the repository.
FIELDS = (
    *("occurred_at", "repository__forge_account__namespace", "repository__name", "issue_number"),
    *(
        "execution__severity",
        "execution__vulnerability_type",
        "coverage",
        "plan",
        "execution__pull_request_url",
    ),
)


@dataclass(frozen=True)
class Span:
    """The period on the page: the last days, or the last months including the current one."""

    key: str
    words: Any
    step: Step
    length: int

    def list_buckets(self, today: date) -> list[date]:
        if self.step == "day":
            return [today - timedelta(days=back) for back in range(self.length - 1, -1, -1)]
        # Months counted from the year 0, so that a subtraction can cross a year.
        months = today.year * 12 + today.month - 1
        return [date(*_split(months - back)) for back in range(self.length - 1, -1, -1)]


SPANS = (
    Span("30d", gettext_lazy("30 days"), "day", 30),
    Span("90d", gettext_lazy("90 days"), "day", 90),
    Span("12m", gettext_lazy("12 months"), "month", 12),
)


@require_safe
@member_page()
def show_usage(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    customer, now, span = membership.customer, timezone.now(), _read_span(request)
    buckets = span.list_buckets(timezone.localdate(now))
    since, until = _start_of_day(buckets[0]), _start_of_day(timezone.localdate(now) + timedelta(days=1))
    counts = count_usage(customer=customer, since=since, until=until, buckets=buckets, step=span.step)
    entitlement = get_entitlement(customer=customer)
    labels = [_name_bucket(bucket, span.step) for bucket in buckets]
    severities = [(str(SEVERITY_WORDS[each.key]), each) for each in counts.by_severity]
    repositories = [(each.key or _("All others"), each) for each in counts.by_repository]
    context = {
        "span": span,
        "spans": SPANS,
        "total": counts.total,
        "severities": severities,
        "repositories": repositories,
        "severity_rows": _list_rows(labels, severities),
        "severity_chart": _draw(labels, severities),
        "repository_chart": _draw(labels, repositories),
        "entitlement": entitlement,
        "sees_billing": membership.may_see_billing,
        "usage_text": describe_usage(entitlement),
        "cost_text": describe_cost(entitlement),
        "projection": project_entitlement(entitlement, now),
    }
    return render(request, "portal/usage.html", context)


@require_safe
@member_page()
def export_usage(request: HttpRequest, membership: Membership) -> StreamingHttpResponse:
    """Stream the span's fixes as CSV, one per line. The export is recorded in the audit log."""
    span, today = _read_span(request), timezone.localdate()
    since, until = _start_of_day(span.list_buckets(today)[0]), _start_of_day(today + timedelta(days=1))
    record_audit_log_entry(
        customer=membership.customer,
        action=AuditLogEntry.Action.DATA_EXPORTED,
        actor=membership.user,
        subject=f"usage, {span.key}",
        at=timezone.now(),
        **find_origin(request),
    )
    usages = list_usage(customer=membership.customer, since=since, until=until).values_list(*FIELDS)
    response = StreamingHttpResponse(
        write_rows(COLUMNS, _write_usages(usages.iterator(2000))), "text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="rsolv-usage-{span.key}.csv"'
    return response


def _write_usages(usages: Iterator[tuple[Any, ...]]) -> Iterator[tuple[str, ...]]:
    for occurred_at, namespace, name, issue_number, *rest, url in usages:
        link = find_pull_request(url, forge_url=settings.FORGE_URL)
        yield (occurred_at.isoformat(), f"{namespace}/{name}", str(issue_number), *rest, link)


def _read_span(request: HttpRequest) -> Span:
    return next((span for span in SPANS if span.key == request.GET.get("span")), SPANS[0])


def _start_of_day(day: date) -> datetime:
    """Return the start of a day in the current time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _split(months: int) -> tuple[int, int, int]:
    return months // 12, months % 12 + 1, 1


def _name_bucket(bucket: date, step: Step) -> str:
    return format_date(bucket) if step == "day" else f"{MONTHS[bucket.month - 1]} {bucket.year}"


def _list_rows(labels: list[str], series: list[tuple[str, Series]]) -> list[dict[str, Any]]:
    """Rows of the chart's table, newest first, without days or months that have no fixes."""
    rows = []
    for index, label in enumerate(labels):
        counts = [(name, each.counts[index]) for name, each in series]
        rows.append({"label": label, "counts": counts, "total": sum(count for name, count in counts)})
    return [row for row in reversed(rows) if row["total"]]


def _draw(labels: list[str], series: list[tuple[str, Series]]) -> dict[str, Any]:
    return {
        "labels": labels,
        "series": [{"label": name, "key": each.key, "counts": each.counts} for name, each in series],
    }
