"""Record refunds and disputes as last read from Stripe."""

from datetime import datetime

import structlog
from django.db import transaction

from billing.models import BillingAccount, Notification, PaymentIncident
from billing.services.notifications.notify_customer import notify_customer
from billing.stripe_gateway.incidents import Incident, list_invoice_incidents, list_refunds, read_dispute
from billing.stripe_gateway.mirrored import find_invoice_number

log = structlog.get_logger(__name__)


def record_refunds(*, charge_id: str, at: datetime) -> None:
    """Record every refund of a charge and notify the customer once per refund.

    Commits per refund; calls Stripe; safe to repeat and in any order, since it reads the present state.
    Raises StripeUnavailable, StripeRejected.
    """
    for refund in list_refunds(charge_id=charge_id):
        _record(PaymentIncident.Kind.REFUND, refund, at)


def record_dispute(*, dispute_id: str, at: datetime) -> None:
    """Record a dispute in its present state.

    Commits; calls Stripe; safe to repeat and in any order. Raises StripeUnavailable, StripeRejected.
    """
    dispute = read_dispute(dispute_id=dispute_id)
    _record(PaymentIncident.Kind.DISPUTE, dispute, at)
    log.warning("payment_disputed", dispute=dispute_id, status=dispute.status, reason=dispute.reason)


def record_invoice_incidents(*, invoice_id: str, at: datetime) -> None:
    """Record every refund and dispute of an invoice in its present state, and notify the customer of refunds.

    Commits per incident; calls Stripe; safe to repeat and in any order. Raises StripeUnavailable,
    StripeRejected.
    """
    found = list_invoice_incidents(invoice_id=invoice_id)
    for refund in found.refunds:
        _record(PaymentIncident.Kind.REFUND, refund, at)
    for dispute in found.disputes:
        _record(PaymentIncident.Kind.DISPUTE, dispute, at)


@transaction.atomic
def _record(kind: PaymentIncident.Kind, found: Incident, at: datetime) -> None:
    account = (
        BillingAccount.objects.filter(stripe_customer_id=found.stripe_customer_id)
        .select_related("customer")
        .first()
    )
    if account is None:
        # A charge of a Stripe customer that is not ours.
        return
    fields = {
        name: getattr(found, name)
        for name in ("charge", "invoice", "amount_cents", "currency", "status", "reason", "occurred_at")
    }
    PaymentIncident.objects.update_or_create(
        stripe_id=found.stripe_id,
        defaults={**fields, "kind": kind, "customer": account.customer, "updated_at": at},
    )
    if kind == PaymentIncident.Kind.REFUND and found.status == "succeeded":
        data = {
            "amount_cents": found.amount_cents,
            "currency": found.currency,
            "invoice": find_invoice_number(found.invoice),
        }
        notify_customer(
            customer=account.customer,
            kind=Notification.Kind.REFUNDED,
            reference=found.stripe_id,
            data=data,
            at=at,
        )
