"""The audit log page and its CSV export."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from customers import selectors
from customers.access import find_origin, may_manage, member_page
from customers.csv_rows import write_rows
from customers.models import AuditLogEntry, Membership
from customers.services.record_audit_log_entry import record_audit_log_entry

ENTRIES_SHOWN = 50
COLUMNS = ("at", "action", "who", "what", "address", "device")


@require_safe
@member_page(may=may_manage)
def show_audit_log(request: HttpRequest, membership: Membership) -> HttpResponse:
    action = request.GET.get("action", "")
    entries = selectors.list_audit_log(customer=membership.customer, action=action)
    page = Paginator(entries, ENTRIES_SHOWN).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "actions": AuditLogEntry.Action.choices,
        "action": action,
        "filter": urlencode({"action": action}) if action else "",
    }
    return render(request, "customers/audit_log.html", context)


@require_safe
@member_page(may=may_manage)
def export_audit_log(request: HttpRequest, membership: Membership) -> StreamingHttpResponse:
    entries = selectors.list_audit_log(customer=membership.customer, action=request.GET.get("action", ""))
    record_audit_log_entry(
        customer=membership.customer,
        action=AuditLogEntry.Action.DATA_EXPORTED,
        actor=membership.user,
        subject="audit log",
        at=timezone.now(),
        **find_origin(request),
    )
    response = StreamingHttpResponse(write_rows(COLUMNS, _to_rows(entries.iterator(2000))), "text/csv")
    response["Content-Disposition"] = 'attachment; filename="rsolv-audit-log.csv"'
    return response


def _to_rows(entries: Iterator[AuditLogEntry]) -> Iterator[tuple[str, ...]]:
    for entry in entries:
        yield (
            entry.at.isoformat(),
            entry.get_action_display(),
            entry.actor_name,
            entry.subject,
            entry.address or "",
            entry.device,
        )
