"""A plan ends."""

from billing import selectors, stripe_gateway
from billing.locks import hold_stripe_customer
from billing.models import BillingAccount
from customers.models import Customer
from rsolv.errors import DomainError

from .refresh_account import refresh_account
from .settle_usage import settle_usage


class NoPlanToCancel(DomainError):
    code, status = "CONFLICT", 409
    message = "This account has no subscription to cancel."


def cancel_plan(*, customer: Customer) -> None:
    """End the customer's subscription now; what was used is invoiced. Calls out. Repeating it is safe.

    Fixes that are not reported yet are reported first, since an ended subscription bills nothing more.
    Raises NoPlanToCancel, UsageStillUnreported, StripeUnavailable, StripeRefused.
    """
    account = selectors.get_account(customer=customer)
    if account.subscription_id is None or account.stripe_customer_id is None:
        raise NoPlanToCancel
    if account.status == BillingAccount.Status.CANCELED:
        return
    if account.can_meter:
        settle_usage(customer=customer)
    with hold_stripe_customer(account.stripe_customer_id):
        stripe_gateway.cancel_subscription(account.subscription_id)
        refresh_account(stripe_customer_id=account.stripe_customer_id)
