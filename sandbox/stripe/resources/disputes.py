"""/v1/disputes: a bank disputes a charge. Opened and decided through the control API."""

from typing import Any

from sandbox.stripe.billing.ledger import DISPUTE_FEE, book
from sandbox.stripe.clock import DAY
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure, bad_parameter
from sandbox.stripe.ids import new_id
from sandbox.stripe.paging import page
from sandbox.stripe.params import LIST, METADATA, Flag, Mapped, Text, merged
from sandbox.stripe.render import present, presents, without_ours
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record, Store

REASONS = (
    "bank_cannot_process",
    "credit_not_processed",
    "customer_initiated",
    "duplicate",
    "fraudulent",
    "general",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)
EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)


def open_dispute(env: StripeEnvironment, charge: Record, reason: str, amount: int | None = None) -> Record:
    """Open a dispute of a paid charge; the bank holds the money until it is decided."""
    if reason not in REASONS:
        raise bad_parameter(f"One of {', '.join(REASONS)}", None, "reason")
    if not charge["paid"] or charge["disputed"]:
        raise StripeFailure("Only a paid charge that is not disputed yet can be disputed.", param="charge")
    id = new_id("du")
    amount = amount or charge["amount"]
    taken = _book(env, id, charge, -amount, DISPUTE_FEE)
    dispute = env.add(
        "dispute",
        id,
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence={**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
        evidence_details={
            "due_by": env.now() + 9 * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        is_charge_refundable=False,
        metadata={},
        payment_intent=charge["payment_intent"],
        payment_method_details={
            "card": {
                "brand": charge["payment_method_details"]["card"].get("brand"),
                "case_type": "chargeback",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        reason=reason,
        status="needs_response",
        _balance_transactions=[taken],
    )
    env.change(charge, "charge.updated", disputed=True)
    env.emit("charge.dispute.created", dispute)
    env.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def decide(env: StripeEnvironment, dispute: Record, *, won: bool) -> Record:
    """Decide the dispute; with `won` the money is returned."""
    if dispute["status"] in ("won", "lost"):
        raise StripeFailure(f"This dispute is already {dispute['status']}.")
    changes: dict[str, Any] = {"status": "won" if won else "lost"}
    if won:
        charge = env.require("charge", dispute["charge"])
        back = _book(env, dispute["id"], charge, dispute["amount"], 0)
        changes["_balance_transactions"] = [*dispute["_balance_transactions"], back]
    closed = env.change(dispute, "charge.dispute.closed", **changes)
    if won:
        env.emit("charge.dispute.funds_reinstated", closed)
    return closed


def _book(env: StripeEnvironment, dispute: str, charge: Record, amount: int, fee: int) -> str:
    text = f"Chargeback {'withdrawal' if amount < 0 else 'reversal'} for {charge['id']}"
    category = "dispute" if amount < 0 else "dispute_reversal"
    currency = charge["currency"]
    booked = book(
        env,
        type="adjustment",
        source=dispute,
        amount=amount,
        currency=currency,
        fee=fee,
        text=text,
        category=category,
    )
    return str(booked["id"])


@route("GET", "/v1/disputes", {**LIST, "charge": Text(), "payment_intent": Text()})
def list_all(env: StripeEnvironment, params: Record) -> Record:
    return page(
        env.store,
        "dispute",
        params,
        "/v1/disputes",
        charge=params.get("charge"),
        payment_intent=params.get("payment_intent"),
    )


@route("GET", "/v1/disputes/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("dispute", id)


@route("POST", "/v1/disputes/{id}", {"evidence": Mapped(), "metadata": METADATA, "submit": Flag()})
def update(env: StripeEnvironment, params: Record, id: str) -> Record:
    """Update the evidence; it is submitted at once unless `submit` is false."""
    dispute = env.require("dispute", id)
    changes: dict[str, Any] = {"metadata": merged(dispute["metadata"], params.get("metadata", {}))}
    if params.get("evidence"):
        changes["evidence"] = {**dispute["evidence"], **params["evidence"]}
        sent = params.get("submit", True)
        count = dispute["evidence_details"]["submission_count"] + (1 if sent else 0)
        details = {**dispute["evidence_details"], "has_evidence": True, "submission_count": count}
        changes |= {"evidence_details": details, "status": "under_review" if sent else dispute["status"]}
    return env.change(dispute, "charge.dispute.updated", **changes)


@route("POST", "/v1/disputes/{id}/close")
def close(env: StripeEnvironment, params: Record, id: str) -> Record:
    """Accept the dispute, which counts as lost."""
    return decide(env, env.require("dispute", id), won=False)


@presents("dispute")
def present_dispute(store: Store, record: Record) -> Record:
    moves = [present(store, store.find(id) or {}) for id in record["_balance_transactions"]]
    return {**without_ours(record), "balance_transactions": moves}
