"""Invoices that are not paid, and what their payment waits for."""

from dataclasses import dataclass

from djstripe import models as djstripe

from .client import get_client
from .errors import translate_errors


@dataclass(frozen=True)
class OpenInvoice:
    """An invoice whose payment was tried and has not come. Amounts are in cents of `currency`.

    `needs_person`: the bank asks for them (3-D Secure), on the invoice's page at `page_url`.
    """

    id: str
    number: str
    amount_cents: int
    currency: str
    page_url: str
    needs_person: bool


def sync_open_invoices(*, stripe_customer_id: str) -> list[OpenInvoice]:
    """Mirror a customer's open invoices, and those that were open when last mirrored; the failed ones.

    Oldest first. What is final and was never tried is not among them.
    """
    with translate_errors("sync_open_invoices"):
        listed = get_client().v1.invoices.list(
            {"customer": stripe_customer_id, "status": "open", "limit": 100}
        )
        found = {each.id: each for each in listed.auto_paging_iter() if each.id}
        for invoice in found.values():
            djstripe.Invoice.sync_from_stripe_data(invoice)
        stale = djstripe.Invoice.objects.filter(
            customer__id=stripe_customer_id, stripe_data__status="open"
        ).exclude(id__in=found)
        for invoice_id in stale.values_list("id", flat=True):
            djstripe.Invoice.sync_from_stripe_data(get_client().v1.invoices.retrieve(invoice_id))
        failed = sorted((each for each in found.values() if each.attempted), key=lambda each: each.created)
        return [
            OpenInvoice(
                id=each.id or "",
                number=each.number or "",
                amount_cents=each.amount_remaining,
                currency=each.currency,
                page_url=each.hosted_invoice_url or "",
                needs_person=_waits_for_person(each.id or ""),
            )
            for each in failed
        ]


def void_open_invoices(*, subscription_id: str) -> None:
    """Let nobody pay what a subscription has left open. Repeating it changes nothing."""
    with translate_errors("void_open_invoices"):
        found = get_client().v1.invoices.list(
            {"subscription": subscription_id, "status": "open", "limit": 100}
        )
        for invoice in found.auto_paging_iter():
            voided = get_client().v1.invoices.void_invoice(str(invoice.id))
            djstripe.Invoice.sync_from_stripe_data(voided)


def find_invoice_of_payment(payment_intent: str) -> str:
    """The id of the invoice that a payment was for; empty where it was for none."""
    with translate_errors("find_invoice_of_payment"):
        found = get_client().v1.invoice_payments.list(
            {"payment": {"type": "payment_intent", "payment_intent": payment_intent}, "limit": 1}
        )
        return next((str(each.invoice) for each in found.data), "")


def _waits_for_person(invoice_id: str) -> bool:
    payments = get_client().v1.invoice_payments.list(
        {"invoice": invoice_id, "status": "open", "expand": ["data.payment.payment_intent"]}
    )
    intents = (payment.payment.payment_intent for payment in payments.data)
    return any(getattr(intent, "status", "") == "requires_action" for intent in intents)
