"""/v1/invoices and /v1/invoice_payments: created by subscriptions; read, finalized and paid here."""

from typing import Any

from sandbox.stripe.billing import balance, invoicing, subscription_status
from sandbox.stripe.billing.collection import collect_or_raise, mark_paid
from sandbox.stripe.billing.finalization import GRACE
from sandbox.stripe.billing.invoice_fields import embed_lines
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure, missing_object
from sandbox.stripe.paging import page
from sandbox.stripe.params import (
    LIST,
    METADATA,
    Choice,
    Field,
    Flag,
    Integer,
    Required,
    Shape,
    Text,
    merged,
)
from sandbox.stripe.render import hidden, listed, present, presents, without_ours
from sandbox.stripe.resources import payment_methods
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record, Store

STATUS = Choice(("draft", "open", "paid", "uncollectible", "void"))
UPDATE: dict[str, Field] = {
    "auto_advance": Flag(),
    "default_payment_method": Text(),
    "description": Text(1500),
    "footer": Text(),
    "metadata": METADATA,
}
LINES: dict[str, Field] = {"limit": Integer(1, 100), "starting_after": Text(), "ending_before": Text()}


@route(
    "GET",
    "/v1/invoices",
    {**LIST, "customer": Text(), "subscription": Text(), "status": STATUS, "collection_method": Text()},
)
def list_all(env: StripeEnvironment, params: Record) -> Record:
    names = ("status", "collection_method", "customer")

    def keep(invoice: Record) -> bool:
        return all(params.get(name) in (None, invoice[name]) for name in names)

    if params.get("subscription"):
        index = {"subscription": params["subscription"]}
    else:
        index = {"customer": params.get("customer")}
    return page(env.store, "invoice", params, "/v1/invoices", keep=keep, **index)


@route("GET", "/v1/invoices/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("invoice", id)


@presents("invoice")
def present_invoice(store: Store, record: Record) -> Record:
    return {**without_ours(record), "lines": embed_lines(record["lines"])}


@route("GET", "/v1/invoices/{id}/lines", LINES)
def list_lines(env: StripeEnvironment, params: Record, id: str) -> Record:
    """Return one page of the lines of an invoice or, by the id in its `lines.url`, of a preview."""
    lines = _find_lines(env, id)
    ids = [line["id"] for line in lines]
    limit, url = params.get("limit", 10), f"/v1/invoices/{id}/lines"
    if params.get("ending_before"):
        end = _find_position(ids, params["ending_before"], id)
        return listed(url, lines[max(0, end - limit) : end], has_more=end > limit)
    start = _find_position(ids, params["starting_after"], id) + 1 if params.get("starting_after") else 0
    return listed(url, lines[start : start + limit], has_more=len(lines) > start + limit)


def _find_lines(env: StripeEnvironment, id: str) -> list[Record]:
    found = env.store.get("sandbox.preview", id) or env.store.get("invoice", id)
    if found is None or found.get("deleted"):
        raise missing_object("invoice", id)
    lines: list[Record] = found["lines"]["data"]
    return lines


def _find_position(ids: list[str], cursor: str, invoice: str) -> int:
    if cursor not in ids:
        raise StripeFailure(f"Invoice {invoice} does not have a line item {cursor}")
    return ids.index(cursor)


@route("POST", "/v1/invoices/{id}", UPDATE)
def update(env: StripeEnvironment, params: Record, id: str) -> Record:
    invoice = env.require("invoice", id)
    changes: dict[str, Any] = {
        name: value for name, value in params.items() if name not in ("metadata", "expand")
    }
    if "metadata" in params:
        changes["metadata"] = merged(invoice["metadata"], params["metadata"])
    return env.change(invoice, "invoice.updated", **changes)


@route("POST", "/v1/invoices/{id}/finalize", {"auto_advance": Flag()})
def finalize_invoice(env: StripeEnvironment, params: Record, id: str) -> Record:
    """Finalize the invoice; a zero one is paid at once, others an hour later unless specified otherwise."""
    invoice = env.require("invoice", id)
    if invoice["status"] != "draft":
        message = "This invoice is already finalized, you can't re-finalize a non-draft invoice."
        raise StripeFailure(message, code="invoice_not_editable")
    invoice = invoicing.finalize(env, invoice)
    if not invoice["amount_due"]:
        return mark_paid(env, invoice)
    if params.get("auto_advance", invoice["auto_advance"]):
        at = env.now() + GRACE
        return env.store.replace(invoice, next_payment_attempt=at, _due_at=at)
    return env.store.replace(invoice, auto_advance=False)


@route(
    "POST",
    "/v1/invoices/{id}/pay",
    {"payment_method": Text(), "off_session": Flag(), "paid_out_of_band": Flag(), "forgive": Flag()},
)
def pay(env: StripeEnvironment, params: Record, id: str) -> Record:
    """Collect now. A declined card returns 402, and the attempt is kept."""
    invoice = env.require("invoice", id)
    if invoice["status"] == "draft":
        invoice = invoicing.finalize(env, invoice)
    if invoice["status"] == "paid":
        raise StripeFailure("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] == "void":
        raise StripeFailure("This invoice can no longer be paid.", code="invoice_not_editable")
    if params.get("paid_out_of_band"):
        return mark_paid(env, invoice)
    method = None
    if params.get("payment_method"):
        method = payment_methods.resolve(env, params["payment_method"], "payment_method")
    return collect_or_raise(env, invoice, method)


@route("POST", "/v1/invoices/{id}/void")
def void(env: StripeEnvironment, params: Record, id: str) -> Record:
    return _close(env, id, "void", "voided_at", "invoice.voided")


@route("POST", "/v1/invoices/{id}/mark_uncollectible")
def mark_uncollectible(env: StripeEnvironment, params: Record, id: str) -> Record:
    return _close(env, id, "uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")


def _close(env: StripeEnvironment, id: str, status: str, transition: str, event: str) -> Record:
    invoice = env.require("invoice", id)
    if invoice["status"] not in ("open", "uncollectible"):
        message = f"You can only pass in open invoices. This invoice isn't open: it is {invoice['status']}."
        raise StripeFailure(message, code="invoice_not_editable")
    closed = env.change(
        invoice,
        status=status,
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], transition: env.now()},
        _due_at=None,
    )
    env.emit(event, closed)
    if status == "void":
        balance.give_back(env, closed)
        subscription_status.settled(env, closed)
    else:
        subscription_status.after_payment(env, closed)
    return closed


PAYMENT = Shape({"type": Required(Choice(("payment_intent",))), "payment_intent": Text()})


@route("GET", "/v1/invoice_payments", {**LIST, "invoice": Text(), "status": Text(), "payment": PAYMENT})
def list_payments(env: StripeEnvironment, params: Record) -> Record:
    intent = (params.get("payment") or {}).get("payment_intent")
    return page(
        env.store,
        "invoice_payment",
        params,
        "/v1/invoice_payments",
        keep=lambda payment: intent in (None, payment["_payment_intent"]),
        invoice=params.get("invoice"),
        status=params.get("status"),
    )


@route("GET", "/v1/invoice_payments/{id}")
def retrieve_payment(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("invoice_payment", id)


@hidden("invoice", "payments")
def payments(store: Store, invoice: Record) -> Record:
    found = [present(store, each) for each in store.newest("invoice_payment", invoice=invoice["id"])]
    return listed(f"/v1/invoices/{invoice['id']}/payments", found)


@hidden("invoice", "confirmation_secret")
def confirmation_secret(store: Store, invoice: Record) -> Record | None:
    payment = next(store.newest("invoice_payment", invoice=invoice["id"]), None)
    intent = store.find(payment["_payment_intent"]) if payment else None
    return {"client_secret": intent["client_secret"], "type": "payment_intent"} if intent else None
