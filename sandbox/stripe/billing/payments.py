"""The objects that a payment creates: payment intent, charge, balance transaction."""

from sandbox.stripe.billing.ledger import book, card_fee
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.ids import new_id, new_secret
from sandbox.stripe.store import Record


def make_intent(env: StripeEnvironment, invoice: Record) -> None:
    """Create the payment intent of an open invoice, and the record that links the two."""
    id = new_id("pi")
    env.add(
        "payment_intent",
        id,
        event="payment_intent.created",
        amount=invoice["amount_due"],
        amount_capturable=0,
        amount_details={"tip": {}},
        amount_received=0,
        application=None,
        application_fee_amount=None,
        automatic_payment_methods=None,
        canceled_at=None,
        cancellation_reason=None,
        capture_method="automatic",
        client_secret=new_secret(f"{id}_secret"),
        confirmation_method="automatic",
        currency=invoice["currency"],
        customer=invoice["customer"],
        customer_account=None,
        description="Subscription creation"
        if invoice["billing_reason"] == "subscription_create"
        else "Invoice",
        last_payment_error=None,
        latest_charge=None,
        metadata={},
        next_action=None,
        on_behalf_of=None,
        payment_method=None,
        payment_method_options={},
        payment_method_types=["card"],
        processing=None,
        receipt_email=None,
        review=None,
        setup_future_usage="off_session",
        shipping=None,
        statement_descriptor=None,
        statement_descriptor_suffix=None,
        status="requires_payment_method",
        transfer_data=None,
        transfer_group=None,
        _invoice=invoice["id"],
    )
    env.add(
        "invoice_payment",
        new_id("inpay"),
        amount_paid=None,
        amount_requested=invoice["amount_due"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment={"payment_intent": id, "type": "payment_intent"},
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
        _payment_intent=id,
    )


def make_charge(
    env: StripeEnvironment,
    invoice: Record,
    intent: Record,
    method: Record | None,
    failure: StripeFailure | None,
) -> Record:
    amount, paid = invoice["amount_due"], failure is None
    id = new_id("ch")
    error = failure.error if failure else {}
    card = (method or {}).get("card", {})
    return env.add(
        "charge",
        id,
        amount=amount,
        amount_captured=amount if paid else 0,
        amount_refunded=0,
        application=None,
        application_fee=None,
        application_fee_amount=None,
        balance_transaction=_income(env, id, invoice) if paid else None,
        billing_details=(method or {}).get("billing_details"),
        calculated_statement_descriptor="SANDBOX",
        captured=paid,
        currency=invoice["currency"],
        customer=invoice["customer"],
        description=intent.get("description"),
        disputed=False,
        failure_balance_transaction=None,
        failure_code=error.get("code"),
        failure_message=error.get("message"),
        fraud_details={},
        metadata={},
        on_behalf_of=None,
        outcome={
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network" if paid else "declined_by_network",
            "reason": error.get("decline_code"),
            "risk_level": "normal",
            "seller_message": "Payment complete." if paid else "The bank declined the payment.",
            "type": "authorized" if paid else "issuer_declined",
        },
        paid=paid,
        payment_intent=intent.get("id"),
        payment_method=(method or {}).get("id"),
        payment_method_details={"card": {**card, "network": card.get("brand")}, "type": "card"},
        receipt_email=None,
        receipt_number=None,
        receipt_url=f"{env.url}/_sandbox/objects/{id}" if paid else None,
        refunded=False,
        review=None,
        shipping=None,
        source=None,
        source_transfer=None,
        statement_descriptor=None,
        statement_descriptor_suffix=None,
        status="succeeded" if paid else "failed",
        transfer_data=None,
        transfer_group=None,
    )


def _income(env: StripeEnvironment, charge: str, invoice: Record) -> str:
    amount = invoice["amount_due"]
    booked = book(
        env,
        type="charge",
        source=charge,
        amount=amount,
        currency=invoice["currency"],
        fee=card_fee(amount),
        text="Invoice",
    )
    return str(booked["id"])
