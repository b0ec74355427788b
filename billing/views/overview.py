"""The billing overview, and the redirect to Stripe's Billing Portal."""

from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from billing.account_alerts import ContactOptions, explain_account_state
from billing.models import BillingAccount
from billing.selectors.entitlements import get_account, get_entitlement
from billing.selectors.invoices import list_open_invoices
from billing.selectors.notifications import list_notifications
from billing.services.payments.open_billing_portal import open_billing_portal
from billing.usage_text import describe_cost, describe_usage
from customers.models import Customer

from .access import billing_page, redirect_303
from .notifications import list_rows

NOTIFICATIONS_SHOWN = 20
# The time whose notifications are listed for an account without a billing period.
DEFAULT_PERIOD = timedelta(days=30)


@billing_page
def show_billing(request: HttpRequest, customer: Customer) -> HttpResponseBase:
    now = timezone.now()
    account = get_account(customer=customer)
    entitlement = get_entitlement(customer=customer)
    invoices = list_open_invoices(customer=customer) if entitlement.is_payment_open else []
    notifications = list_notifications(
        customer=customer, since=_find_start(account, now), limit=NOTIFICATIONS_SHOWN
    )
    contact = ContactOptions(
        support=parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        plans_url=reverse("billing-plans"),
        cap_url=reverse("billing-cap"),
    )
    context = {
        "account": account,
        "entitlement": entitlement,
        "plan_state": "exhausted" if entitlement.is_trial_exhausted else entitlement.status,
        "account_alert": explain_account_state(entitlement, invoices, contact=contact),
        "usage_text": describe_usage(entitlement),
        "cost_text": describe_cost(entitlement),
        "notifications": list_rows(notifications),
        "is_changeable": account.status == BillingAccount.Status.ACTIVE and account.cancel_at is None,
    }
    return render(request, "billing/overview.html", context)


def _find_start(account: BillingAccount, now: datetime) -> datetime:
    return account.current_period_start or now - DEFAULT_PERIOD


@require_POST
@billing_page
def open_portal(request: HttpRequest, customer: Customer) -> HttpResponseBase:
    """Redirect to Stripe's Billing Portal for cards, addresses and invoices."""
    return_url = f"{settings.BASE_URL}{reverse('billing')}"
    return redirect_303(open_billing_portal(customer=customer, return_url=return_url))
