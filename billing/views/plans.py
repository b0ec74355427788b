"""The pages that choose, cancel and resume a plan."""

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

POLL_SECONDS = 3
MAX_POLLS = 20


@require_http_methods(["GET", "HEAD", "POST"])
@billing_page
def choose_plan(request: HttpRequest, customer: Customer) -> HttpResponseBase:
    """Choose a plan and continue to Stripe's Checkout. With a running plan, redirect to the plan change."""
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
    """Wait up to a minute for the webhook of a completed Checkout; a POST reads the session at once.

    Checkout redirects here. With JavaScript, htmx polls with an empty element, which each response replaces
    with the next one until the plan is active or the polls are used up.
    """
    if request.GET.get("checkout") == "left":
        messages.info(request, _("You left Stripe's checkout. Nothing was charged, and nothing has changed."))
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
    polls = _read_polls(request)
    is_polling = request.method != "POST" and polls < MAX_POLLS
    query = urlencode({"checkout": "done", "session": session_id, "polls": polls + 1})
    context = {
        "next_url": f"{reverse('billing-return')}?{query}",
        "seconds": POLL_SECONDS,
        "is_polling": is_polling,
        "session_id": session_id,
    }
    if not is_htmx(request):
        return render(request, "billing/waiting.html", context)
    return (
        render(request, "billing/poll_checkout.html", context)
        if is_polling
        # The polls are used up: load the page, whose button asks Stripe at once.
        else redirect_303(request.get_full_path())
    )


def _read_polls(request: HttpRequest) -> int:
    polls = request.GET.get("polls", "0")
    return int(polls) if polls.isascii() and polls.isdigit() and len(polls) < 4 else 0


@require_http_methods(["GET", "HEAD", "POST"])
@billing_page
def cancel_plan(request: HttpRequest, customer: Customer) -> HttpResponseBase:
    """Cancel the plan now or at the end of its period; the page explains both."""
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
        messages.success(request, _("Your plan has ended. A final invoice will bill your usage."))
        return
    cancel_at_period_end(customer=customer, at=timezone.now(), by=find_author(request))
    ends_at = get_account(customer=customer).current_period_end
    if ends_at:
        text = _("Your plan ends on %(date)s. Until then nothing changes.") % {"date": format_date(ends_at)}
    else:
        text = _("Your plan ends with its period. Until then nothing changes.")
    messages.success(request, text)


@require_POST
@billing_page
def resume_plan(request: HttpRequest, customer: Customer) -> HttpResponseBase:
    resume_plan_service(customer=customer, at=timezone.now(), by=find_author(request))
    messages.success(request, _("Your plan will continue."))
    return redirect_303("billing")
