"""Repository setup: the workflow file from a form, where to save the key, whether the Action has called."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from core.http.htmx import is_htmx
from customers.access import member_page
from customers.models import ApiKey, Customer, Membership
from customers.services.hide_setup import hide_setup as hide_setup_service
from phases.models import PhaseExecution

from .workflow import TOOLCHAINS, WorkflowOptions, write_workflow

# A branch name that git accepts, without characters that a shell or a glob pattern would interpret.
BRANCH = re.compile(r"\A(?!/|\.|.*(?://|\.\.|@\{|\.lock$|/$|\.$))[\w./@+-]{1,200}\Z", re.ASCII)
# The number of polls in the URL: at most four digits, because anyone can change it.
POLLS = re.compile(r"[0-9]{1,4}\Z")
LANGUAGES = (
    ("python", "Python"),
    ("javascript", "JavaScript, TypeScript"),
    ("ruby", "Ruby"),
    ("java", "Java"),
    ("php", "PHP"),
    ("go", "Go"),
    ("elixir", "Elixir"),
)


class WorkflowForm(forms.Form):
    """Options of the workflow file. Each has a default, so that the page shows a file at once."""

    trigger = forms.ChoiceField(
        label=_("When it runs"),
        choices=(
            ("schedule", _("Every Monday, and when started by hand")),
            ("push", _("On each push to the branch")),
            ("pull_request", _("On each pull request to the branch")),
            ("manual", _("Only when started by hand")),
        ),
        initial="schedule",
    )
    mode = forms.ChoiceField(
        label=_("How far it goes"),
        choices=(
            ("full", _("Find, prove and fix, in a pull request")),
            ("validate", _("Find and prove with a failing test")),
            ("scan", _("Find and open issues only")),
        ),
        initial="full",
    )
    branch = forms.CharField(
        label=_("Branch"),
        max_length=200,
        initial="main",
        validators=[RegexValidator(BRANCH, _("Git does not accept this as a branch name."))],
    )
    languages = forms.MultipleChoiceField(
        label=_("Languages of its tests"),
        choices=LANGUAGES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The workflow installs what their tests need."),
    )


@dataclass(frozen=True)
class Connection:
    """Whether the Action has called the API. `since`: time of the latest call; `what`: result or call."""

    is_there: bool
    since: datetime | None = None
    what: str = ""


@require_GET
@member_page()
def show_setup(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    form = read_form(request)
    context = {
        "form": form,
        "workflow": write_workflow_of(form) if form.is_valid() else "",
        **_wait_for_call(membership.customer, asked=0),
        "is_hidden": membership.customer.setup_hidden_at is not None,
        "may_manage": membership.may_manage,
        "query": request.GET.urlencode(),
    }
    return render(request, "portal/setup.html", context, status=422 if form.errors else 200)


@require_GET
@member_page()
def download_workflow(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    form = read_form(request)
    if not form.is_valid():
        return redirect("setup")
    headers = {"Content-Disposition": 'attachment; filename="rsolv.yml"'}
    return HttpResponse(
        write_workflow_of(form), content_type="application/yaml; charset=utf-8", headers=headers
    )


@require_GET
@vary_on_headers("HX-Request")
@member_page()
def show_connection(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    """Show the part of the page that polls until the Action's first call.

    A request without htmx is redirected to the whole page.
    """
    if not is_htmx(request):
        return redirect("setup")
    asked = request.GET.get("asked", "")
    context = _wait_for_call(membership.customer, asked=int(asked) if POLLS.match(asked) else 0)
    return render(request, "portal/setup_connection.html", context)


@require_POST
@member_page(may=lambda membership: membership.may_manage)
def hide_setup(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    """Hide the setup steps on the overview, or show them again."""
    hide_setup_service(
        customer=membership.customer, is_hidden=request.POST.get("hidden") == "yes", at=timezone.now()
    )
    return redirect("dashboard" if request.POST.get("hidden") == "yes" else "setup")


def read_form(request: HttpRequest) -> WorkflowForm:
    """Bind the form to the query, with defaults for missing fields."""
    given: Any = request.GET.copy()
    for name, field in WorkflowForm.base_fields.items():
        if name not in given and field.initial is not None:
            given[name] = field.initial
    return WorkflowForm(given)


def write_workflow_of(form: WorkflowForm) -> str:
    options = form.cleaned_data
    return write_workflow(
        WorkflowOptions(
            action=settings.RSOLV_ACTION,
            api_url=settings.BASE_URL,
            trigger=options["trigger"],
            mode=options["mode"],
            branch=options["branch"],
            languages=[name for name in TOOLCHAINS if name in options["languages"]],
        )
    )


def _wait_for_call(customer: Customer, *, asked: int) -> dict[str, Any]:
    """Context of the polling part. The interval grows with the number of polls, from 2 to 30 seconds."""
    wait = min(2 + asked // 15 * 4, 30)
    return {"connection": find_connection(customer), "asked": asked + 1, "wait": wait}


def find_connection(customer: Customer) -> Connection:
    """Find the latest sign of the Action: a stored result, or else the use of a key."""
    # A result is the stronger sign: a key may also be used by hand, before the workflow exists.
    stored = PhaseExecution.objects.filter(customer=customer).order_by("-updated_at").first()
    if stored is not None:
        return Connection(True, stored.updated_at, "result")
    used = ApiKey.objects.filter(customer=customer, last_used_at__isnull=False)
    at = used.order_by("-last_used_at").values_list("last_used_at", flat=True).first()
    return Connection(at is not None, at, "call")
