"""Sync and void unpaid invoices."""

from dataclasses import dataclass

from djstripe import models as djstripe

from .client import get_client
from .errors import translate_errors
from .mirror import mirror_invoice


@dataclass(frozen=True)
class OpenInvoice:
    """An open invoice whose payment was attempted. `amount_cents` is what remains, in cents of `currency`.

    `needs_person`: the bank requires authentication (3-D Secure) on the hosted invoice page, `page_url`.
    """

    id: str
    number: str
    amount_cents: int
    currency: str
    page_url: str
    needs_person: bool


def sync_open_invoices(*, stripe_customer_id: str) -> list[OpenInvoice]:
    """Mirror a customer's open invoices; return those with a failed payment attempt, oldest first.

    Invoices that are open in the mirror but no longer at Stripe are mirrored too. Open invoices without a
    payment attempt are not returned. Safe to repeat.
    """
    with translate_errors("sync_open_invoices"):
        listed = get_client().v1.invoices.list(
            {"customer": stripe_customer_id, "status": "open", "limit": 100}
        )
        found = {each.id: each for each in listed.auto_paging_iter() if each.id}
        for invoice in found.values():
            mirror_invoice(invoice)
        stale = djstripe.Invoice.objects.filter(
            customer__id=stripe_customer_id, stripe_data__status="open"
        ).exclude(id__in=found)
        for invoice_id in stale.values_list("id", flat=True):
            mirror_invoice(get_client().v1.invoices.retrieve(invoice_id))
        failed = sorted((each for each in found.values() if each.attempted), key=lambda each: each.created)
        return [
            OpenInvoice(
                id=each.id or "",
                number=each.number or "",
                amount_cents=each.amount_remaining,
                currency=each.currency,
                page_url=each.hosted_invoice_url or "",
                needs_person=_needs_authentication(each.id or ""),
            )
            for each in failed
        ]


def void_open_invoices(*, subscription_id: str) -> None:
    """Void a subscription's open invoices, so that they cannot be paid. Safe to repeat.

    Source: https://docs.stripe.com/api/invoices/void
    """
    with translate_errors("void_open_invoices"):
        found = get_client().v1.invoices.list(
            {"subscription": subscription_id, "status": "open", "limit": 100}
        )
        for invoice in found.auto_paging_iter():
            voided = get_client().v1.invoices.void_invoice(str(invoice.id))
            mirror_invoice(voided)


def find_payment_invoice(payment_intent: str) -> str:
    """Return the id of the invoice that a payment intent paid, or an empty string."""
    with translate_errors("find_payment_invoice"):
        found = get_client().v1.invoice_payments.list(
            {"payment": {"type": "payment_intent", "payment_intent": payment_intent}, "limit": 1}
        )
        return next((str(each.invoice) for each in found.data), "")


def _needs_authentication(invoice_id: str) -> bool:
    payments = get_client().v1.invoice_payments.list(
        {"invoice": invoice_id, "status": "open", "expand": ["data.payment.payment_intent"]}
    )
    intents = (payment.payment.payment_intent for payment in payments.data)
    return any(getattr(intent, "status", "") == "requires_action" for intent in intents)
