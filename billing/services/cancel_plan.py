"""A plan ends."""

from django.utils import timezone

from billing import selectors, stripe_gateway
from billing.locks import hold_stripe_customer
from billing.models import UsageReport
from customers.models import Customer
from rsolv.errors import DomainError

from .refresh_account import refresh_account
from .report_usage import report_usage


class NoPlanToCancel(DomainError):
    code, status = "CONFLICT", 409
    message = "This account has no subscription to cancel."


class UsageStillUnreported(DomainError):
    code, status = "CONFLICT", 409
    message = "Some fixes are still on their way to the invoice. Try again in a few minutes."


def cancel_plan(*, customer: Customer) -> None:
    """End the customer's subscription now; what was used is invoiced. Calls out. Repeating it is safe.

    Fixes that are not reported yet are reported first, since an ended subscription bills nothing more.
    Raises NoPlanToCancel, UsageStillUnreported, StripeUnavailable, StripeRefused.
    """
    account = selectors.get_account(customer=customer)
    if account.subscription_id is None or account.stripe_customer_id is None:
        raise NoPlanToCancel
    if account.can_meter:
        _report_what_is_left(customer)
    with hold_stripe_customer(account.stripe_customer_id):
        stripe_gateway.cancel_subscription(account.subscription_id)
        refresh_account(stripe_customer_id=account.stripe_customer_id)


def _report_what_is_left(customer: Customer) -> None:
    pending = UsageReport.objects.filter(customer=customer, status=UsageReport.Status.PENDING)
    # One that a worker holds is left to it: its next attempt lies ahead.
    for usage_id in pending.filter(next_attempt_at__lte=timezone.now()).values_list("pk", flat=True):
        report_usage(usage_id=usage_id)
    if pending.exists():
        raise UsageStillUnreported
