"""Public pages: pricing, setup guide, status, terms of service and privacy."""

from dataclasses import dataclass

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from billing.plans import PAYG, PLANS, TEAMS, TRIAL
from billing.pricing import compute_period_cents
from core.health import check_services

from .workflow import WorkflowOptions, write_workflow

MOST_FIXES = 100_000
USUAL_FIXES = 20

# What customers notice while a service is unavailable.
PARTS = {
    "database": (_("Accounts and results"), _("Nothing works while this is down.")),
    "cache": (_("Limits"), _("Requests still succeed, a little more slowly.")),
    "queue": (_("Background work"), _("Mail and usage reports are late; none is lost.")),
    "stripe": (_("Payments"), _("Plans cannot be changed. Fixes continue and are billed later.")),
}


class EstimateForm(forms.Form):
    fixes = forms.IntegerField(
        min_value=0, max_value=MOST_FIXES, initial=USUAL_FIXES, label=_("Fixes a month")
    )


@dataclass(frozen=True)
class Estimate:
    """Cost of a month under a plan, in US cents. `each_cents` is the cost per fix, to the nearest cent."""

    name: str
    total_cents: int
    each_cents: int | None
    is_cheapest: bool


@dataclass(frozen=True)
class Part:
    """A part of the service on the status page. `state` is healthy or unhealthy."""

    name: str
    state: str
    meaning: str


@require_safe
def show_pricing(request: HttpRequest) -> HttpResponse:
    form = EstimateForm(request.GET if "fixes" in request.GET else {"fixes": USUAL_FIXES})
    fixes = form.cleaned_data["fixes"] if form.is_valid() else None
    context = {
        "plans": PLANS.values(),
        "trial": TRIAL,
        "form": form,
        "fixes": fixes,
        "estimates": [] if fixes is None else estimate_costs(fixes),
        "teams_from": find_break_even(),
    }
    return render(request, "portal/pricing.html", context, status=200 if form.is_valid() else 422)


@require_safe
def show_setup_guide(request: HttpRequest) -> HttpResponse:
    workflow = WorkflowOptions(
        action=settings.RSOLV_ACTION,
        api_url=settings.BASE_URL,
        trigger="schedule",
        mode="full",
        branch="main",
        languages=[],
    )
    return render(request, "portal/setup_guide.html", {"workflow": write_workflow(workflow)})


@require_safe
def show_status(request: HttpRequest) -> HttpResponse:
    """Show the result of `/api/health` in words. Works without the database; 503 while that is unhealthy."""
    found = check_services()
    parts = [Part(str(PARTS[name][0]), state, str(PARTS[name][1])) for name, state in found.items()]
    is_healthy = all(part.state == "healthy" for part in parts)
    is_down = found["database"] != "healthy"
    return render(
        request,
        "portal/status.html",
        {"parts": parts, "is_healthy": is_healthy},
        status=503 if is_down else 200,
    )


@require_safe
def show_terms(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/terms.html")


@require_safe
def show_privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/privacy.html")


def estimate_costs(fixes: int) -> list[Estimate]:
    """Return the cost of a month's fixes under each paid plan."""
    totals = {plan.name: compute_period_cents(plan, fixes) for plan in PLANS.values() if plan.is_metered}
    return [
        Estimate(name, total, (total + fixes // 2) // fixes if fixes else None, total == min(totals.values()))
        for name, total in totals.items()
    ]


def find_break_even() -> int | None:
    """Return the smallest number of fixes a month at which Teams costs less than pay-as-you-go."""
    counts = range(1, MOST_FIXES)
    return next((n for n in counts if compute_period_cents(TEAMS, n) < compute_period_cents(PAYG, n)), None)
