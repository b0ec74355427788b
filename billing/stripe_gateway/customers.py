"""Stripe customers and their payment methods."""

from djstripe import models as djstripe

from .client import SUBSCRIBER, get_client, read_metadata
from .errors import translate_errors
from .mirror import mirror_object


def create_customer(*, customer_id: str, name: str, email: str, attempt: int | str) -> str:
    """Create and mirror the Stripe customer of one of our customers; return its id.

    Safe to repeat: a customer with the same email address and our id in its metadata is looked up first.
    Source: https://docs.stripe.com/api/customers/create
    """
    with translate_errors("create_customer"):
        same_email = get_client().v1.customers.list({"email": email, "limit": 100})
        ours = (each for each in same_email.data if read_metadata(each, SUBSCRIBER) == customer_id)
        created = next(ours, None) or get_client().v1.customers.create(
            {"name": name, "email": email, "metadata": {SUBSCRIBER: customer_id}},
            {"idempotency_key": f"customer-{customer_id}-{attempt}"},
        )
        mirror_object(djstripe.Customer, created)
    djstripe.Customer.objects.filter(id=created.id).update(subscriber_id=customer_id)
    return created.id


def set_payment_method(*, stripe_customer_id: str, payment_method: str, attempt: int | str = 0) -> None:
    """Attach a payment method and make it the customer's default. Safe to repeat.

    `attempt` is part of the idempotency key, because Stripe replays its own errors under a key for a day.
    """
    key = f"payment-method-{stripe_customer_id}-{payment_method}-{attempt}"
    with translate_errors("set_payment_method"):
        client = get_client().v1
        attached = client.payment_methods.attach(
            payment_method, {"customer": stripe_customer_id}, {"idempotency_key": key}
        )
        client.customers.update(
            stripe_customer_id,
            {"invoice_settings": {"default_payment_method": attached.id}},
            {"idempotency_key": f"default-{key}"},
        )
