"""Cards and invoices are looked after on Stripe's own page."""

from billing.selectors.entitlements import get_account
from billing.services.subscriptions.start_checkout import NothingAtStripe
from billing.stripe_gateway.checkout import open_portal
from customers.models import Customer


def open_billing_portal(*, customer: Customer, return_url: str) -> str:
    """The address of the customer's page at Stripe; it is good for minutes. Calls out.

    Raises NothingAtStripe, StripeUnavailable, StripeRejected.
    """
    account = get_account(customer=customer)
    if account.stripe_customer_id is None:
        raise NothingAtStripe
    return open_portal(stripe_customer_id=account.stripe_customer_id, return_url=return_url)
