"""Copies of Stripe's objects in dj-stripe's tables, always of what Stripe holds now.

An event's own copy may be older than our last read, so that only its ids are used.
"""

import stripe
import structlog
from djstripe import models as djstripe

from .errors import translate_errors

log = structlog.get_logger(__name__)

# By Stripe's word for the kind of object.
MODELS: dict[str, type[djstripe.StripeModel]] = {
    "charge": djstripe.Charge,
    "checkout.session": djstripe.Session,
    "customer": djstripe.Customer,
    "dispute": djstripe.Dispute,
    "invoice": djstripe.Invoice,
    "payment_method": djstripe.PaymentMethod,
    "price": djstripe.Price,
    "subscription": djstripe.Subscription,
}


def sync_object(*, kind: str, object_id: str) -> bool:
    """Read an object from Stripe and copy it; False where Stripe no longer has it. Safe to repeat.

    `kind` is Stripe's word, a key of MODELS. dj-stripe reads referenced objects that it does not know yet.
    Raises StripeUnavailable, StripeRejected.
    """
    model = MODELS[kind]
    with translate_errors(f"sync_{kind}"):
        try:
            found = model(id=object_id).api_retrieve()
        except stripe.InvalidRequestError as error:
            if error.code != "resource_missing":
                raise
            log.warning("stripe_object_missing", kind=kind, object_id=object_id)
            return False
        model.sync_from_stripe_data(found)
        return True


def sync_payment_method(payment_method_id: str) -> None:
    """Copy a payment method; one that Stripe no longer has is detached from its customer."""
    if not sync_object(kind="payment_method", object_id=payment_method_id):
        djstripe.PaymentMethod.objects.filter(id=payment_method_id).update(customer=None)


def purge_customer(stripe_customer_id: str) -> None:
    """Detach a customer that was deleted at Stripe from ours. Repeating it changes nothing.

    The row stays: other rows refer to it.
    """
    with translate_errors("purge_customer"):
        row = djstripe.Customer.objects.filter(id=stripe_customer_id).first()
        if row is not None:
            row.purge()
