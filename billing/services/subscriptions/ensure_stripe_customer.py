"""A customer of ours is one customer at Stripe."""

from uuid import UUID

from billing.locks import lock_stripe_customer
from billing.models import BillingAccount
from billing.stripe_gateway.customers import create_customer


def ensure_stripe_customer(*, customer_id: UUID, attempt: int | str) -> str:
    """The id of the Stripe customer that stands for ours, made where there is none. Calls out.

    Repeating it, and racing, gives the same one. `attempt` makes a new idempotency key: Stripe keeps its
    own errors under one. Raises StripeUnavailable, StripeRejected.
    """
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
        BillingAccount.objects.filter(pk=customer_id).update(stripe_customer_id=stripe_customer_id)
        return stripe_customer_id
