"""Invoices: lines from subscriptions, totals, drafts that include late usage, and finalization."""

from datetime import UTC, datetime
from typing import Any

from sandbox.stripe.billing import balance
from sandbox.stripe.billing.amounts import parts
from sandbox.stripe.billing.finalization import GRACE
from sandbox.stripe.billing.invoice_fields import blank_invoice
from sandbox.stripe.billing.payments import make_intent
from sandbox.stripe.billing.usage import used
from sandbox.stripe.clock import DAY
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.ids import new_id
from sandbox.stripe.render import listed
from sandbox.stripe.store import Record

UNUSED, REMAINING = "Unused time", "Remaining time"


def metered(item: Record, start: int, end: int) -> Record:
    """Build the charge of a metered item for `start <= t < end`, recounted until the invoice is final."""
    return {"kind": "metered", "item": item["id"], "price": item["price"], "start": start, "end": end}


def flat(item: Record, start: int, end: int, amount: int | None = None, text: str | None = None) -> Record:
    """Build the charge of a licensed item for a span; with its own amount it is a proration (or a trial)."""
    return {
        "kind": "flat",
        "item": item["id"],
        "price": item["price"],
        "quantity": item["quantity"],
        "start": start,
        "end": end,
        "amount": amount,
        "text": text,
    }


def draft(
    env: StripeEnvironment, subscription: Record, charges: list[Record], *, reason: str, start: int, end: int
) -> Record:
    """Create a draft invoice of the charges for the period that ended; it finalizes itself later."""
    customer = env.require("customer", subscription["customer"])
    id = new_id("in")
    fields = blank_invoice(subscription, customer, reason, start, end)
    fields.update(totals(env, id, subscription, charges))
    invoice = env.add(
        "invoice",
        id,
        **fields,
        automatically_finalizes_at=env.now() + GRACE,
        _subscription=subscription["id"],
        _charges=charges,
        _due_at=env.now() + GRACE,
    )
    env.emit("invoice.created", invoice)
    env.store.replace(subscription, latest_invoice=id)
    return invoice


def refresh_drafts(env: StripeEnvironment, customer: str) -> None:
    """Recount the usage of the customer's draft invoices."""
    for invoice in list(env.store.newest("invoice", customer=customer)):
        if invoice["status"] == "draft":
            recount(env, invoice)


def recount(env: StripeEnvironment, invoice: Record) -> Record:
    """Return the draft with its current usage."""
    subscription = env.require("subscription", invoice["_subscription"])
    return env.change(
        invoice, "invoice.updated", **totals(env, invoice["id"], subscription, invoice["_charges"])
    )


def finalize(env: StripeEnvironment, invoice: Record) -> Record:
    """Number the invoice, open it, and create the payment intent that will collect it."""
    # Usage and balance of this moment: both may have changed since the draft.
    invoice = recount(env, invoice)
    settled = balance.settle(env, invoice)
    customer = env.require("customer", invoice["customer"])
    sequence = customer["next_invoice_sequence"]
    env.store.replace(customer, next_invoice_sequence=sequence + 1, currency=invoice["currency"])
    now = env.now()
    opened = env.store.replace(
        invoice,
        **settled,
        status="open",
        number=f"{customer['invoice_prefix']}-{sequence:04d}",
        automatically_finalizes_at=None,
        effective_at=now,
        due_date=now + DAY * invoice["_days_until_due"] if invoice["_days_until_due"] is not None else None,
        hosted_invoice_url=f"{env.url}/invoice/{invoice['id']}",
        invoice_pdf=f"{env.url}/invoice/{invoice['id']}/pdf",
        status_transitions={**invoice["status_transitions"], "finalized_at": now},
        _due_at=None,
    )
    # Nothing due needs no payment intent, and has none at Stripe either.
    if opened["amount_due"]:
        make_intent(env, opened)
    env.emit("invoice.finalized", opened)
    return opened


def totals(env: StripeEnvironment, id: str, subscription: Record, charges: list[Record]) -> dict[str, Any]:
    """Compute the lines and sums of an invoice with the customer's current balance."""
    lines: list[Record] = []
    for charge in charges:
        lines += _lines(env, id, subscription, charge, len(lines))
    total = sum(line["amount"] for line in lines)
    return {
        "lines": listed(f"/v1/invoices/{id}/lines", lines),
        **balance.owed(total, env.require("customer", subscription["customer"])["balance"]),
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_excluding_tax": total,
    }


def _lines(env: StripeEnvironment, id: str, subscription: Record, charge: Record, first: int) -> list[Record]:
    price = env.require("price", charge["price"])
    product = env.store.find(price["product"]) or {"name": price["product"]}
    quantity = charge.get("quantity")
    if charge["kind"] == "metered":
        meter = env.require("billing.meter", price["recurring"]["meter"])
        quantity = max(0, used(env.store, meter, subscription["customer"], charge["start"], charge["end"]))
    found: list[Record] = []
    shares = parts(price, quantity or 0)
    # A proration is one line with its own amount, whatever the tiers.
    for part in shares if charge.get("amount") is None else shares[:1]:
        amount = part.amount if charge.get("amount") is None else charge["amount"]
        tier = f" ({part.label} at ${int(float(part.unit_amount_decimal)) / 100:.2f})" if part.label else ""
        found.append(
            {
                "id": f"il_{id[3:]}{first + len(found):02d}",
                "object": "line_item",
                "amount": amount,
                "currency": price["currency"],
                "description": _text(charge, product) or f"{part.quantity} × {product['name']}{tier}",
                "discount_amounts": [],
                "discountable": charge.get("amount") is None,
                "discounts": [],
                "invoice": id,
                "livemode": False,
                "metadata": subscription["metadata"],
                "parent": {
                    "invoice_item_details": None,
                    "subscription_item_details": {
                        "invoice_item": None,
                        "proration": charge.get("amount") is not None,
                        "proration_details": {"credited_items": None},
                        "subscription": subscription["id"],
                        "subscription_item": charge["item"],
                    },
                    "type": "subscription_item_details",
                },
                "period": {"start": charge["start"], "end": charge["end"]},
                "pretax_credit_amounts": [],
                "pricing": {
                    "price_details": {"price": price["id"], "product": price["product"]},
                    "type": "price_details",
                    "unit_amount_decimal": part.unit_amount_decimal,
                },
                "quantity": part.quantity,
                "quantity_decimal": str(part.quantity),
                "subscription": subscription["id"],
                "subtotal": amount,
                "taxes": [],
            }
        )
    return found


def _text(charge: Record, product: Record) -> str | None:
    """Describe a proration or a trial; None for a full charge."""
    text, quantity = charge.get("text"), charge.get("quantity") or 1
    if text not in (UNUSED, REMAINING):
        return text
    what = product["name"] if quantity == 1 else f"{quantity} × {product['name']}"
    day = datetime.fromtimestamp(charge["start"], UTC)
    return f"{text} on {what} after {day.day} {day:%b %Y}"
