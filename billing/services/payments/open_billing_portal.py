"""Open Stripe's Billing Portal, where customers manage cards, addresses and invoices."""

from billing.selectors.entitlements import get_account
from billing.services.subscriptions.start_checkout import NoStripeCustomer
from billing.stripe_gateway.checkout import open_portal
from customers.models import Customer


def open_billing_portal(*, customer: Customer, return_url: str) -> str:
    """Return the URL of a new Billing Portal session, valid for a few minutes.

    Calls Stripe; safe to repeat. Raises NoStripeCustomer, StripeUnavailable, StripeRejected.
    Source: https://docs.stripe.com/api/customer_portal/sessions
    """
    account = get_account(customer=customer)
    if account.stripe_customer_id is None:
        raise NoStripeCustomer
    return open_portal(stripe_customer_id=account.stripe_customer_id, return_url=return_url)
