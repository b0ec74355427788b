"""Read refunds and disputes in their present state."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .client import get_client, read_id
from .errors import translate_errors
from .invoices import find_payment_invoice

# Disputes that withhold no money: inquiries of the bank, and disputes that we have won.
# Source: https://docs.stripe.com/api/disputes/object#dispute_object-status
HARMLESS_DISPUTES = ("won", "warning_needs_response", "warning_under_review", "warning_closed", "prevented")
FAILED_REFUNDS = ("failed", "canceled")


@dataclass(frozen=True)
class Incident:
    """A refund or dispute. `amount_cents` is in cents of `currency`; ids are empty if Stripe names none.

    `status` and `reason` are Stripe's own words.
    """

    stripe_id: str
    stripe_customer_id: str
    charge: str
    invoice: str
    amount_cents: int
    currency: str
    status: str
    reason: str
    occurred_at: datetime


@dataclass(frozen=True)
class InvoiceIncidents:
    """The refunds and disputes of an invoice's payments."""

    refunds: list[Incident]
    disputes: list[Incident]

    @property
    def returned_cents(self) -> int:
        """What was refunded, is disputed or was lost in a dispute, in cents of the invoice's currency."""
        refunds = (each for each in self.refunds if each.status not in FAILED_REFUNDS)
        disputes = (each for each in self.disputes if each.status not in HARMLESS_DISPUTES)
        return sum(each.amount_cents for each in (*refunds, *disputes))


def list_refunds(*, charge_id: str) -> list[Incident]:
    """List every refund of a charge."""
    with translate_errors("list_refunds"):
        charge = get_client().v1.charges.retrieve(charge_id)
        refunds = get_client().v1.refunds.list({"charge": charge_id, "limit": 100})
        invoice = _find_invoice(charge)
        return [_describe(each, charge, invoice) for each in refunds.auto_paging_iter()]


def list_invoice_incidents(*, invoice_id: str) -> InvoiceIncidents:
    """List every refund and dispute of an invoice's payments."""
    with translate_errors("list_invoice_incidents"):
        client = get_client().v1
        # Stripe links a charge to a payment intent, and an invoice to that only through its payments.
        payments = client.invoice_payments.list({"invoice": invoice_id, "status": "paid", "limit": 100})
        intents = [each.payment.payment_intent for each in payments.auto_paging_iter()]
        charges = [
            charge
            for intent in intents
            if intent is not None
            for charge in client.charges.list(
                {"payment_intent": read_id(intent), "limit": 100}
            ).auto_paging_iter()
        ]
        found = InvoiceIncidents([], [])
        for charge in charges:
            refunds = client.refunds.list({"charge": charge.id, "limit": 100})
            disputes = client.disputes.list({"charge": charge.id, "limit": 100})
            found.refunds.extend(_describe(each, charge, invoice_id) for each in refunds.auto_paging_iter())
            found.disputes.extend(_describe(each, charge, invoice_id) for each in disputes.auto_paging_iter())
        return found


def read_dispute(*, dispute_id: str) -> Incident:
    """Read a dispute and its charge."""
    with translate_errors("read_dispute"):
        dispute = get_client().v1.disputes.retrieve(dispute_id)
        charge = get_client().v1.charges.retrieve(str(dispute.charge))
        return _describe(dispute, charge, _find_invoice(charge))


def _find_invoice(charge: Any) -> str:
    return find_payment_invoice(charge.payment_intent) if charge.payment_intent else ""


def _describe(found: Any, charge: Any, invoice: str) -> Incident:
    return Incident(
        stripe_id=found.id,
        stripe_customer_id=str(charge.customer or ""),
        charge=charge.id,
        invoice=invoice,
        amount_cents=found.amount,
        currency=found.currency,
        status=found.status or "",
        reason=found.reason or "",
        occurred_at=datetime.fromtimestamp(found.created, UTC),
    )
