"""Create the one Stripe customer of each customer."""

from uuid import UUID

from billing.locks import lock_stripe_customer
from billing.models import BillingAccount
from billing.services.subscriptions.refresh_account import set_stripe_customer
from billing.stripe_gateway.customers import create_customer


def ensure_stripe_customer(*, customer_id: UUID, attempt: int | str) -> str:
    """Return the id of the customer's Stripe customer, created if there is none.

    Commits; calls Stripe. Safe to repeat and to call concurrently: every call returns the same id. `attempt`
    is part of the idempotency key, because Stripe replays even its own errors under the same key.
    Raises StripeCustomerTaken, StripeUnavailable, StripeRejected.
    Source: https://docs.stripe.com/api/idempotent_requests
    """
    # There is no Stripe id to lock yet. The prefix keeps our ids apart from Stripe's.
    with lock_stripe_customer(f"of {customer_id}"):
        account = BillingAccount.objects.select_related("customer").get(pk=customer_id)
        if account.stripe_customer_id is not None:
            return account.stripe_customer_id
        stripe_customer_id = create_customer(
            customer_id=str(customer_id),
            name=account.customer.name,
            email=account.customer.email,
            attempt=attempt,
        )
        set_stripe_customer(BillingAccount.objects.filter(pk=customer_id), stripe_customer_id)
        return stripe_customer_id
