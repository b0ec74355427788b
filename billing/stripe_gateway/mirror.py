"""Mirror Stripe's objects in dj-stripe's tables, always from a fresh read.

Only an event's ids are used: the object inside it may be older than the one last mirrored.
"""

from typing import Any

import stripe
import structlog
from djstripe import models as djstripe

from .client import get_client, reject_other_mode
from .errors import translate_errors

log = structlog.get_logger(__name__)

# Keyed by the value of Stripe's `object` field.
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
    """Read an object from Stripe and mirror it; return False if Stripe no longer has it. Safe to repeat.

    `kind` is a key of MODELS. dj-stripe also fetches referenced objects that are not mirrored yet.
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
        if kind == "invoice":
            mirror_invoice(found)
        else:
            mirror_object(model, found)
        return True


def mirror_object(model: Any, found: stripe.StripeObject) -> Any:
    """Write an object that Stripe has just returned to dj-stripe's table; return its row. Safe to repeat.

    The only place that does so. Raises OtherMode. An invoice goes through `mirror_invoice`.
    """
    reject_other_mode(found)
    return model.sync_from_stripe_data(found)


def mirror_invoice(invoice: stripe.Invoice) -> None:
    """Mirror an invoice with all its lines, of which Stripe embeds only the first ten. Safe to repeat.

    Call inside `translate_errors`: it reads the lines of a longer invoice, a hundred per call.
    Source: https://docs.stripe.com/api/invoice-line-item/retrieve
    """
    if invoice.lines.has_more:
        listed = get_client().v1.invoices.line_items.list(
            str(invoice.id), {"limit": 100, "expand": ["data.discounts"]}
        )
        invoice.lines.data = list(listed.auto_paging_iter())
        invoice.lines.has_more = False
    mirror_object(djstripe.Invoice, invoice)


def sync_payment_method(payment_method_id: str) -> None:
    """Mirror a payment method; detach one that Stripe no longer has from its customer. Safe to repeat."""
    if not sync_object(kind="payment_method", object_id=payment_method_id):
        djstripe.PaymentMethod.objects.filter(id=payment_method_id).update(customer=None)


def purge_customer(stripe_customer_id: str) -> None:
    """Detach a customer that was deleted at Stripe from our customer. Safe to repeat; no Stripe call.

    The mirrored row is kept, because other rows refer to it.
    """
    with translate_errors("purge_customer"):
        row = djstripe.Customer.objects.filter(id=stripe_customer_id).first()
        if row is not None:
            row.purge()
