"""A plan is chosen, canceled, resumed."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from billing.forms import CancelForm, PlanForm
from billing.models import BillingAccount
from billing.plans import PLANS
from billing.selectors.entitlements import get_account, get_entitlement
from billing.services.subscriptions.cancel_plan import NoPlanToCancel
from billing.services.subscriptions.cancel_plan import cancel_plan as cancel_plan_service
from billing.services.subscriptions.resume_plan import cancel_at_period_end
from billing.services.subscriptions.resume_plan import resume_plan as resume_plan_service
from billing.services.subscriptions.start_checkout import finish_checkout, start_checkout
from core.formats import format_date
from core.http.htmx import is_htmx, redirect_whole_page
from customers.models import AuditLogEntry, Customer

from .access import billing_page, find_author, record_action, redirect_303

LOOK_AGAIN_SECONDS = 3
LOOKS = 20


@require_http_methods(["GET", "HEAD", "POST"])
@billing_page
def choose_plan(request: HttpRequest, customer: Customer) -> HttpResponseBase:
    """Choose a plan and go on to Stripe's Checkout. Who has a plan is led to changing it."""
    account = get_account(customer=customer)
    if account.has_subscription:
        return redirect_303("billing-change" if account.status == BillingAccount.Status.ACTIVE else "billing")
    form = PlanForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        return_url = f"{settings.BASE_URL}{reverse('billing-return')}"
        checkout = start_checkout(
            customer=customer,
            plan=form.chosen,
            return_url=return_url,
            at=timezone.now(),
            by=find_author(request),
        )
        record_action(request, customer, AuditLogEntry.Action.CHECKOUT_OPENED, form.chosen.name)
        return redirect_303(checkout)
    plans = [plan for plan in PLANS.values() if plan.is_metered]
    chosen = form.data.get("plan") or request.GET.get("plan") or plans[0].key
    context = {"form": form, "plans": plans, "chosen": chosen, "account": account}
    return render(request, "billing/plans.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@redirect_whole_page
@billing_page
def wait_for_stripe(request: HttpRequest, customer: Customer) -> HttpResponseBase:
    """Where Checkout sends people back: wait a minute at most for Stripe's news. By POST, ask Stripe now.

    Where scripts run, an empty part of the page asks by itself, and is answered with the next such part until
    there is something to say.
    """
    if request.GET.get("checkout") == "left":
        messages.info(request, _("You left Stripe's page. Nothing was charged and nothing has changed."))
        return redirect_303("billing-plans")
    session_id = request.GET.get("session", "")
    account = get_account(customer=customer)
    if request.method == "POST" and session_id and not account.has_subscription:
        account = finish_checkout(customer=customer, session_id=session_id)
    if account.status == BillingAccount.Status.ACTIVE:
        plan = PLANS[account.plan].name
        messages.success(request, _("You are on %(plan)s now. Thank you.") % {"plan": plan})
    if account.has_subscription and account.status != BillingAccount.Status.PENDING:
        return redirect_303("billing")
    tries = _read_tries(request)
    waits_on = request.method != "POST" and tries < LOOKS
    query = urlencode({"checkout": "done", "session": session_id, "tries": tries + 1})
    context = {
        "next_url": f"{reverse('billing-return')}?{query}",
        "seconds": LOOK_AGAIN_SECONDS,
        "waits_on": waits_on,
        "session_id": session_id,
    }
    if not is_htmx(request):
        return render(request, "billing/waiting.html", context)
    return (
        render(request, "billing/look_again.html", context)
        if waits_on
        else redirect_303(request.get_full_path())
    )


def _read_tries(request: HttpRequest) -> int:
    tries = request.GET.get("tries", "0")
    return int(tries) if tries.isascii() and tries.isdigit() and len(tries) < 4 else 0


@require_http_methods(["GET", "HEAD", "POST"])
@billing_page
def cancel_plan(request: HttpRequest, customer: Customer) -> HttpResponseBase:
    """End the plan now or with its period; what each means stands on the page."""
    account = get_account(customer=customer)
    if not account.has_subscription:
        raise NoPlanToCancel
    form = CancelForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        _cancel(request, customer, form.cleaned_data["when"])
        return redirect_303("billing")
    entitlement = get_entitlement(customer=customer)
    context = {"form": form, "account": account, "entitlement": entitlement}
    return render(request, "billing/cancel.html", context, status=422 if form.errors else 200)


def _cancel(request: HttpRequest, customer: Customer, when: str) -> None:
    if when == "now":
        cancel_plan_service(customer=customer, by=find_author(request))
        messages.success(request, _("Your plan has ended. What was used comes on a last invoice."))
        return
    cancel_at_period_end(customer=customer, at=timezone.now(), by=find_author(request))
    ends_at = get_account(customer=customer).current_period_end
    if ends_at:
        text = _("Your plan ends on %(date)s. Until then everything goes on.") % {
            "date": format_date(ends_at)
        }
    else:
        text = _("Your plan ends with its period. Until then everything goes on.")
    messages.success(request, text)


@require_POST
@billing_page
def resume_plan(request: HttpRequest, customer: Customer) -> HttpResponseBase:
    resume_plan_service(customer=customer, at=timezone.now(), by=find_author(request))
    messages.success(request, _("Your plan goes on."))
    return redirect_303("billing")
