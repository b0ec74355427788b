"""Read refunds and disputes in their present state."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .client import get_client
from .errors import translate_errors
from .invoices import find_payment_invoice


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


def list_refunds(*, charge_id: str) -> list[Incident]:
    """List every refund of a charge."""
    with translate_errors("list_refunds"):
        charge = get_client().v1.charges.retrieve(charge_id)
        refunds = get_client().v1.refunds.list({"charge": charge_id, "limit": 100})
        invoice = _find_invoice(charge)
        return [_describe(each, charge, invoice) for each in refunds.auto_paging_iter()]


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
