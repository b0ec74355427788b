"""The list of fixes with its filter, and the page of a fix."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from core.errors import NotFound
from customers.access import member_page
from customers.models import Membership
from phases.models import PhaseExecution
from phases.selectors.fixes import FixFilter, list_fixes
from phases.selectors.repositories import list_repository_names

from .fix_page import get_fix_page, list_fix_rows
from .widgets import LongSelect

FIXES_SHOWN = 50
REPOSITORIES_OFFERED = 500
SEVERITIES = (*PhaseExecution.Severity.choices, ("unknown", _("Not stated")))


class DayInput(forms.DateInput):
    input_type = "date"


class FilterForm(forms.Form):
    """Filter of the list. An invalid choice shows an error and does not filter."""

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
        given = self.cleaned_data
        until = given.get("until")
        return FixFilter(
            repository_id=given.get("repository"),
            phase=given.get("phase", ""),
            outcome=given.get("state", ""),
            severity=given.get("severity", ""),
            since=_start_of_day(given.get("since")),
            # The chosen last day is included, but `FixFilter.until` is an exclusive bound.
            until=_start_of_day(until + timedelta(days=1)) if until and until < date.max else None,
        )


@require_safe
@member_page()
def show_fixes(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    customer = membership.customer
    names = list_repository_names(
        customer=customer, limit=REPOSITORIES_OFFERED, chosen=_read_id(request.GET.get("repository", ""))
    )
    form = FilterForm(request.GET, repositories=names)
    # For cleaned_data only: an invalid field is not in it, so it does not filter.
    form.is_valid()
    fix_filter = form.read_filter()
    fixes = list_fixes(customer=customer, fix_filter=fix_filter)
    page = Paginator(fixes, FIXES_SHOWN).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "rows": list_fix_rows(list(page.object_list)),
        "is_filtered": fix_filter != FixFilter(),
    }
    return render(request, "portal/fixes.html", context)


@require_safe
@member_page()
def show_fix(request: HttpRequest, membership: Membership, execution_id: UUID) -> HttpResponseBase:
    """Show one issue from its finding to its invoice. 404 for another customer's issue and for a scan."""
    try:
        fix = get_fix_page(
            customer=membership.customer, execution_id=execution_id, sees_billing=membership.may_see_billing
        )
    except NotFound as error:
        raise Http404 from error
    return render(request, "portal/fix.html", {"fix": fix})


def _read_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _start_of_day(day: date | None) -> datetime | None:
    """Return the start of a day in the current time zone, no earlier than `datetime.min` in UTC."""
    if day is None:
        return None
    try:
        return timezone.make_aware(datetime.combine(day, time.min)).astimezone(UTC)
    except OverflowError:  # east of UTC, 0001-01-01 starts in the year 0
        return datetime.min.replace(tzinfo=UTC)
