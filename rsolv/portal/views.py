"""Pages that cross the apps: the public home and the customer's dashboard."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache

from billing.plans import PLANS
from billing.selectors import Entitlement, get_entitlement, list_invoices
from customers.models import ApiKey, Customer, User
from customers.selectors import get_customer_of
from phases.models import PhaseExecution
from phases.selectors import list_latest_fixes
from provisioning.key_reveal import forget_new_key, take_new_key

from .formats import format_date
from .standing import explain_standing

FIXES_SHOWN = 10
INVOICES_SHOWN = 6
KEYS_SHOWN = 5


@dataclass(frozen=True)
class FixRow:
    """A fix as the dashboard lists it."""

    repository: str
    issue_number: int
    outcome: str
    pull_request_url: str
    pull_request_name: str
    updated_at: datetime


@dataclass(frozen=True)
class KeyRow:
    """An API key as the dashboard lists it. `state` is active, revoked or expired."""

    name: str
    prefix: str
    state: str
    last_used_at: datetime | None


def show_home(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/home.html", {"plans": PLANS.values(), "trial": PLANS["trial"]})


@login_required
@never_cache
def show_dashboard(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    customer = get_customer_of(request.user)
    if customer is None:
        return render(request, "portal/no_account.html")
    new_key = take_new_key(request, user=request.user)
    response = render(request, "portal/dashboard.html", _prepare_dashboard(customer) | {"new_key": new_key})
    if new_key:
        forget_new_key(response)
    return response


def _prepare_dashboard(customer: Customer) -> dict[str, object]:
    entitlement = get_entitlement(customer=customer)
    invoices = list_invoices(customer=customer, limit=INVOICES_SHOWN)
    fixes = list_latest_fixes(customer=customer, limit=FIXES_SHOWN)
    support = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return {
        "customer": customer,
        "entitlement": entitlement,
        "plan_state": "exhausted" if entitlement.blocked_reason == "trial_exhausted" else entitlement.status,
        "standing": explain_standing(entitlement, invoices, support=support),
        "usage_words": _describe_usage(entitlement),
        "cost_words": _describe_cost(entitlement),
        "fixes": [_to_fix_row(execution) for execution in fixes],
        "invoices": invoices,
        "api_keys": [_to_key_row(key) for key in customer.api_keys.all()[:KEYS_SHOWN]],
        "workflow": render_to_string("portal/workflow.yml", {"api_base": settings.BASE_URL}),
    }


def _describe_usage(entitlement: Entitlement) -> str:
    """What the count of fixes means, in words."""
    if not entitlement.included:
        return "Only fixes whose tests pass are counted"
    beyond = max(0, entitlement.used - entitlement.included)
    if beyond and entitlement.plan.is_metered:
        return f"{beyond} beyond the {entitlement.included} included"
    return f"{entitlement.remaining} left"


def _describe_cost(entitlement: Entitlement) -> str:
    """What time the cost is of, in words."""
    if not entitlement.plan.is_metered:
        return "Nothing is billed during the trial"
    if entitlement.status == "canceled":
        return "Nothing more is billed"
    if entitlement.period_start and entitlement.period_end:
        start, end = format_date(entitlement.period_start), format_date(entitlement.period_end)
        return f"{start} to {end}, before tax"
    return "Since the plan was chosen, before tax"


def _to_fix_row(execution: PhaseExecution) -> FixRow:
    url = execution.pull_request_url
    tail = url.rstrip("/").rpartition("/")[2]
    return FixRow(
        repository=execution.repository.full_name,
        issue_number=execution.issue_number or 0,
        outcome=execution.outcome,
        pull_request_url=url,
        pull_request_name=f"#{tail}" if tail.isdigit() else "open",
        updated_at=execution.updated_at,
    )


def _to_key_row(key: ApiKey) -> KeyRow:
    state = "active" if key.is_active else "revoked" if key.revoked_at else "expired"
    return KeyRow(name=key.name, prefix=key.prefix, state=state, last_used_at=key.last_used_at)
