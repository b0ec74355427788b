"""What was done that matters to the customer's security."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from customers import selectors
from customers.access import find_origin, manages, member_page
from customers.csv_rows import write_rows
from customers.models import AuditEntry, Membership
from customers.services.record_act import record_act

ENTRIES_SHOWN = 50
COLUMNS = ("at", "act", "who", "what", "address", "device")


@require_safe
@member_page(may=manages)
def show_audit_log(request: HttpRequest, membership: Membership) -> HttpResponse:
    act = request.GET.get("act", "")
    entries = selectors.list_acts(customer=membership.customer, act=act)
    page = Paginator(entries, ENTRIES_SHOWN).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "acts": AuditEntry.Act.choices,
        "act": act,
        "filter": urlencode({"act": act}) if act else "",
    }
    return render(request, "customers/audit_log.html", context)


@require_safe
@member_page(may=manages)
def export_audit_log(request: HttpRequest, membership: Membership) -> StreamingHttpResponse:
    entries = selectors.list_acts(customer=membership.customer, act=request.GET.get("act", ""))
    record_act(
        customer=membership.customer,
        act=AuditEntry.Act.DATA_EXPORTED,
        actor=membership.user,
        subject="audit log",
        at=timezone.now(),
        **find_origin(request),
    )
    response = StreamingHttpResponse(write_rows(COLUMNS, _to_rows(entries.iterator(2000))), "text/csv")
    response["Content-Disposition"] = 'attachment; filename="rsolv-audit-log.csv"'
    return response


def _to_rows(entries: Iterator[AuditEntry]) -> Iterator[tuple[str, ...]]:
    for entry in entries:
        yield (
            entry.at.isoformat(),
            entry.get_act_display(),
            entry.actor_name,
            entry.subject,
            entry.address or "",
            entry.device,
        )
