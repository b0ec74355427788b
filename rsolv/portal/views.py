"""Pages that cross the apps: the public home and the customer's dashboard."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from billing.plans import PLANS
from billing.selectors import get_entitlement, list_invoices
from customers.models import Customer, User
from customers.selectors import get_customer_of
from phases.models import PhaseExecution
from phases.selectors import list_latest_fixes
from provisioning.key_reveal import forget_new_key, take_new_key

FIXES_SHOWN = 10
INVOICES_SHOWN = 6


@dataclass(frozen=True)
class FixRow:
    """A fix as the dashboard lists it."""

    repository: str
    issue_number: int
    outcome: str
    pull_request_url: str
    updated_at: datetime


def show_home(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/home.html", {"plans": PLANS.values()})


@login_required
@never_cache
def show_dashboard(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    customer = get_customer_of(request.user)
    if customer is None:
        return render(request, "portal/no_account.html", {"support": settings.DEFAULT_FROM_EMAIL})
    new_key = take_new_key(request)
    response = render(request, "portal/dashboard.html", _prepare_dashboard(customer) | {"new_key": new_key})
    if new_key:
        forget_new_key(response)
    return response


def _prepare_dashboard(customer: Customer) -> dict[str, object]:
    return {
        "customer": customer,
        "entitlement": get_entitlement(customer=customer),
        "fixes": [
            _to_row(execution) for execution in list_latest_fixes(customer=customer, limit=FIXES_SHOWN)
        ],
        "invoices": list_invoices(customer=customer, limit=INVOICES_SHOWN),
        "api_keys": list(customer.api_keys.all()[:5]),
        "api_base": f"{settings.BASE_URL}/api/v1",
    }


def _to_row(execution: PhaseExecution) -> FixRow:
    return FixRow(
        repository=execution.repository.full_name,
        issue_number=execution.issue_number or 0,
        outcome=execution.outcome,
        pull_request_url=execution.pull_request_url,
        updated_at=execution.updated_at,
    )
