"""The spend cap page."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.forms import CapForm
from billing.selectors.entitlements import get_account, get_entitlement
from billing.services.metering.set_spend_cap import set_spend_cap
from core.formats import format_cents
from customers.models import Customer

from .access import billing_page, find_author, redirect_303


@require_http_methods(["GET", "HEAD", "POST"])
@billing_page
def set_cap(request: HttpRequest, customer: Customer) -> HttpResponseBase:
    account = get_account(customer=customer)
    if request.method == "POST" and "remove" in request.POST:
        _set(request, customer, None)
        messages.success(request, _("The spend cap is removed. A period's cost is not limited."))
        return redirect_303("billing")
    form = CapForm(request.POST if request.method == "POST" else None, account=account)
    if form.is_bound and form.is_valid():
        cap = format_cents(form.cents, is_short=True)
        _set(request, customer, form.cents)
        messages.success(request, _("The spend cap is %(cap)s for each period.") % {"cap": cap})
        return redirect_303("billing")
    entitlement = get_entitlement(customer=customer)
    context = {"form": form, "account": account, "entitlement": entitlement}
    return render(request, "billing/cap.html", context, status=422 if form.errors else 200)


def _set(request: HttpRequest, customer: Customer, cents: int | None) -> None:
    set_spend_cap(customer=customer, cap_cents=cents, at=timezone.now(), by=find_author(request))
