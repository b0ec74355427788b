"""The list of fixes, and each fix's own page."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from core.errors import NotFound
from customers.access import member_page
from customers.models import Membership
from phases.evidence import name_vulnerability, read_evidence
from phases.links import build_issue_url, name_pull_request
from phases.models import PhaseExecution
from phases.selectors.repositories import list_repository_names
from phases.selectors.work import FixFilter, get_fix_timeline, list_work

from .fix_billing import Bill, find_bill, list_marks
from .fix_timeline import build_timeline, describe_attempts
from .widgets import LongSelect

FIXES_SHOWN = 50
REPOSITORIES_OFFERED = 500
SEVERITIES = (*PhaseExecution.Severity.choices, ("unknown", _("Not said")))
# What a row's state is called, by phase and outcome; the rest are named after their outcome.
PROOFS = {"succeeded": "proved", "failed": "not_proved", "unverified": "not_proved"}


class DayInput(forms.DateInput):
    input_type = "date"


class FilterForm(forms.Form):
    """What is listed. A choice that is none is named as wrong and does not narrow the list."""

    repository = forms.TypedChoiceField(
        label=_("Repository"), required=False, coerce=UUID, empty_value=None, widget=LongSelect
    )
    phase = forms.ChoiceField(
        label=_("Phase"),
        required=False,
        choices=(("", _("All")), ("validation", _("Proof")), ("mitigation", _("Fix"))),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=(
            ("", _("All")),
            ("succeeded", _("Succeeded")),
            ("failed", _("Failed")),
            ("unverified", _("Not verified")),
        ),
    )
    severity = forms.ChoiceField(label=_("Severity"), required=False, choices=(("", _("All")), *SEVERITIES))
    since = forms.DateField(label=_("From"), required=False, widget=DayInput)
    until = forms.DateField(label=_("To"), required=False, widget=DayInput)

    def __init__(self, *args: Any, repositories: list[tuple[UUID, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["repository"]
        field.choices = [("", _("All")), *((str(pk), name) for pk, name in repositories)]

    def read_filter(self) -> FixFilter:
        told = self.cleaned_data
        until = told.get("until")
        return FixFilter(
            repository_id=told.get("repository"),
            phase=told.get("phase", ""),
            outcome=told.get("state", ""),
            severity=told.get("severity", ""),
            since=_begin(told.get("since")),
            until=_begin(until + timedelta(days=1)) if until and until < date.max else None,
        )


@dataclass(frozen=True)
class FixRow:
    """An issue as the list shows it. `bill` is None where nothing of it is in the ledger."""

    id: UUID
    repository: str
    issue_number: int
    issue_url: str
    name: str
    severity: str
    state: str
    bill: Bill | None
    pull_request_url: str
    pull_request_name: str
    updated_at: datetime


@require_safe
@member_page()
def show_fixes(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    customer = membership.customer
    names = list_repository_names(
        customer=customer, limit=REPOSITORIES_OFFERED, chosen=_read_id(request.GET.get("repository", ""))
    )
    form = FilterForm(request.GET, repositories=names)
    form.is_valid()
    wanted = form.read_filter()
    page = Paginator(list_work(customer=customer, wanted=wanted), FIXES_SHOWN).get_page(
        request.GET.get("page")
    )
    context = {
        "form": form,
        "page": page,
        "rows": list_rows(list(page.object_list)),
        "is_filtered": wanted != FixFilter(),
    }
    return render(request, "portal/fixes.html", context)


@require_safe
@member_page()
def show_fix(request: HttpRequest, membership: Membership, execution_id: UUID) -> HttpResponseBase:
    """One issue from its finding to its invoice, as far as it came."""
    try:
        story = get_fix_timeline(customer=membership.customer, execution_id=execution_id)
    except NotFound as error:
        raise Http404 from error
    validation, mitigation = story.validation, story.mitigation
    evidence = read_evidence(
        validation=validation.data if validation else "", mitigation=mitigation.data if mitigation else ""
    )
    bill = find_bill(execution=story.latest, with_invoice=membership.may_see_billing)
    context = {
        "row": make_row(story.latest, bill),
        "latest": story.latest,
        "evidence": evidence,
        "steps": build_timeline(story, evidence, bill, sees_billing=membership.may_see_billing),
        "retries": describe_attempts(mitigation) if mitigation else None,
        "bill": bill,
    }
    return render(request, "portal/fix.html", context)


def list_rows(executions: list[PhaseExecution]) -> list[FixRow]:
    """Rows in the given order, with what the ledger says of each, in one query."""
    bills = list_marks(executions)
    return [make_row(each, bills.get((each.repository_id, each.issue_number))) for each in executions]


def make_row(execution: PhaseExecution, bill: Bill | None) -> FixRow:
    url, repository = execution.pull_request_link, execution.repository.full_name
    issue_number = execution.issue_number or 0
    is_proof = execution.phase == PhaseExecution.Phase.VALIDATION
    return FixRow(
        id=execution.pk,
        repository=repository,
        issue_number=issue_number,
        issue_url=build_issue_url(repository, issue_number, forge_url=settings.FORGE_URL),
        name=name_vulnerability(execution.vulnerability_type) or execution.title,
        severity=execution.severity,
        state=PROOFS[execution.outcome] if is_proof else execution.outcome,
        bill=bill,
        pull_request_url=url,
        pull_request_name=name_pull_request(url),
        updated_at=execution.updated_at,
    )


def _read_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _begin(day: date | None) -> datetime | None:
    """A day's first instant where the person is. The first day of all begins no earlier than UTC's."""
    if day is None:
        return None
    try:
        return timezone.make_aware(datetime.combine(day, time.min)).astimezone(UTC)
    except OverflowError:  # east of UTC, the first day of the calendar begins before it
        return datetime.min.replace(tzinfo=UTC)
