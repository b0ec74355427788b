"""A plan ends."""

from billing import selectors, stripe_gateway
from customers.models import Customer
from rsolv.errors import DomainError

from .refresh_account import refresh_account


class NoPlanToCancel(DomainError):
    code, status = "CONFLICT", 409
    message = "This account has no subscription to cancel."


def cancel_plan(*, customer: Customer) -> None:
    """End the customer's subscription now; what was used is invoiced. Calls out. Repeating it is safe.

    Raises NoPlanToCancel, StripeUnavailable, StripeRefused.
    """
    account = selectors.get_account(customer=customer)
    if account.subscription_id is None or account.stripe_customer_id is None:
        raise NoPlanToCancel
    stripe_gateway.cancel_subscription(account.subscription_id)
    refresh_account(stripe_customer_id=account.stripe_customer_id)
