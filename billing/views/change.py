"""The plan change page: preview the cost, then confirm the change."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.forms import ChangeForm
from billing.models import BillingAccount
from billing.plans import PLANS, Plan
from billing.selectors.entitlements import get_account
from billing.services.subscriptions.change_plan import change_plan as change_plan_service
from billing.services.subscriptions.change_plan import preview_change
from core.error_messages import translate_error
from core.errors import DomainError
from customers.models import Customer

from .access import billing_page, find_author, redirect_303


@require_http_methods(["GET", "HEAD", "POST"])
@billing_page
def change_plan(request: HttpRequest, customer: Customer) -> HttpResponseBase:
    """Show what a change costs now and later, and make the change at the cost that was shown.

    If the preview is outdated, a new one is shown with the reason (409).
    """
    account = get_account(customer=customer)
    if not account.has_subscription:
        return redirect_303("billing-plans")
    others = [plan for plan in PLANS.values() if plan.is_metered and plan.key != account.plan]
    rejection = ""
    form = ChangeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and form.chosen in others:
        try:
            change_plan_service(
                customer=customer,
                plan=form.chosen,
                preview_token=form.cleaned_data["token"],
                by=find_author(request),
            )
        except DomainError as error:
            rejection = translate_error(error)
        else:
            messages.success(request, _("You are on %(plan)s now.") % {"plan": form.chosen.name})
            return redirect_303("billing")
    return _show_preview(request, customer, account, _pick(request, others), rejection)


def _pick(request: HttpRequest, others: list[Plan]) -> Plan:
    key = request.POST.get("plan") or request.GET.get("plan")
    return next((plan for plan in others if plan.key == key), others[0])


def _show_preview(
    request: HttpRequest, customer: Customer, account: BillingAccount, plan: Plan, rejection: str
) -> HttpResponseBase:
    preview = preview_change(customer=customer, plan=plan, at=timezone.now())
    context = {
        "preview": preview,
        "current": account.terms,
        "plan": plan,
        "rejection": rejection or (_("The preview has been updated.") if request.method == "POST" else ""),
    }
    return render(request, "billing/change.html", context, status=409 if request.method == "POST" else 200)
