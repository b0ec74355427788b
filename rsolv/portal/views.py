"""Pages that cross the apps: the public home and the customer's dashboard."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache

from billing.plans import PLANS
from billing.selectors import get_entitlement, list_invoices
from customers.models import ApiKey, Membership, User
from customers.selectors import get_membership
from phases.models import PhaseExecution
from phases.selectors import list_latest_fixes
from provisioning.key_reveal import forget_new_key, take_new_key

from .standing import Ways, explain_standing
from .usage import describe_cost, describe_usage

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
    membership = get_membership(request.user)
    if membership is None:
        return render(request, "portal/no_account.html")
    request.membership = membership  # type: ignore[attr-defined]
    new_key = take_new_key(request, user=request.user)
    response = render(request, "portal/dashboard.html", _prepare_dashboard(membership) | {"new_key": new_key})
    if new_key:
        forget_new_key(response)
    return response


def _prepare_dashboard(membership: Membership) -> dict[str, object]:
    customer, sees_billing = membership.customer, membership.may_see_billing
    entitlement = get_entitlement(customer=customer)
    invoices = list_invoices(customer=customer, limit=INVOICES_SHOWN) if sees_billing else []
    fixes = list_latest_fixes(customer=customer, limit=FIXES_SHOWN)
    ways = Ways(
        support=parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        plans_url=reverse("billing-plans"),
        cap_url=reverse("billing-cap"),
    )
    return {
        "customer": customer,
        "entitlement": entitlement,
        "plan_state": "exhausted" if entitlement.blocked_reason == "trial_exhausted" else entitlement.status,
        "standing": explain_standing(entitlement, invoices, ways=ways if sees_billing else None),
        "sees_billing": sees_billing,
        "usage_words": describe_usage(entitlement),
        "cost_words": describe_cost(entitlement),
        "fixes": [_to_fix_row(execution) for execution in fixes],
        "invoices": invoices,
        "api_keys": [_to_key_row(key) for key in customer.api_keys.all()[:KEYS_SHOWN]],
        "workflow": render_to_string("portal/workflow.yml", {"api_base": settings.BASE_URL}),
    }


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
