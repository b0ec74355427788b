"""End subscriptions that run beside a customer's first one, and credit what they cost."""

from datetime import datetime

import structlog

from billing.models import BillingAccount, Notification
from billing.services.notifications.notify_customer import notify_customer
from billing.services.subscriptions.refresh_account import list_live_subscriptions, list_second_subscriptions
from billing.stripe_gateway.adjustments import credit_subscription
from billing.stripe_gateway.invoices import void_open_invoices
from billing.stripe_gateway.subscriptions import (
    cancel_subscription,
    sync_live_subscriptions,
    sync_subscription,
)
from customers.models import AuditLogEntry
from customers.services.record_audit_log_entry import record_audit_log_entry

log = structlog.get_logger(__name__)


def end_second_subscriptions(*, stripe_customer_id: str, at: datetime) -> int:
    """End a customer's subscriptions beside the first one; credit and notify the customer; return how many.

    The meter counts the customer's fixes for every subscription, so a second one charges them twice. It is
    canceled without an invoice, its open invoices are voided, and its paid ones are credited. If the first
    subscription is not paid, nothing is ended. Call inside `lock_stripe_customer`, and call `refresh_account`
    afterwards. Calls Stripe; safe to repeat: each one is ended and credited once.
    Raises StripeUnavailable, StripeRejected.
    Source: docs/decisions/007-plan-changes-and-failed-payments.md
    """
    accounts = BillingAccount.objects.filter(stripe_customer_id=stripe_customer_id)
    account = accounts.select_related("customer").first()
    if account is None or not list_second_subscriptions(stripe_customer_id=stripe_customer_id):
        return 0
    _sync_running(stripe_customer_id)
    seconds = list_second_subscriptions(stripe_customer_id=stripe_customer_id)
    for subscription_id in seconds:
        # Credit before canceling: if the process dies in between, the subscription still runs, and the next
        # call finds it. Credit again afterwards, for an invoice that was paid in the meantime.
        credit_subscription(stripe_customer_id=stripe_customer_id, subscription_id=subscription_id)
        cancel_subscription(subscription_id, is_invoiced=False)
        cents = credit_subscription(stripe_customer_id=stripe_customer_id, subscription_id=subscription_id)
        void_open_invoices(subscription_id=subscription_id)
        _notify(account, subscription_id, cents, at)
    return len(seconds)


def _sync_running(stripe_customer_id: str) -> None:
    """Sync every subscription that runs at Stripe or in the mirror, whose end may not have been delivered."""
    running = sync_live_subscriptions(stripe_customer_id=stripe_customer_id)
    for subscription_id in list_live_subscriptions(stripe_customer_id=stripe_customer_id):
        if subscription_id not in running:
            sync_subscription(subscription_id)


def _notify(account: BillingAccount, subscription_id: str, cents: int, at: datetime) -> None:
    was_new = notify_customer(
        customer=account.customer,
        kind=Notification.Kind.SECOND_ENDED,
        reference=subscription_id,
        data={"amount_cents": cents},
        at=at,
    )
    if was_new:
        record_audit_log_entry(
            customer=account.customer,
            action=AuditLogEntry.Action.PLAN_CANCELED,
            actor=None,
            subject=f"a second subscription ({subscription_id}), {cents / 100:.2f} USD credited",
            at=at,
        )
        log.error("second_subscription_ended", customer=str(account.pk), subscription=subscription_id)
