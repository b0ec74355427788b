"""A plan that was paid for twice is ended, and what it cost is given back."""

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
    """End what runs beside a customer's first subscription, credit all that it cost, tell them; how many.

    The meter counts the customer's fixes for both, so what the second invoiced is charged a second time: it
    ends without an invoice, what is open is voided. Nothing is ended beside a first one that is not paid
    for. The account itself is not derived again: `refresh_account` is the caller's. Call inside the
    customer's lock; calls out; repeating it ends and credits once. Raises StripeUnavailable, StripeRejected.
    """
    accounts = BillingAccount.objects.filter(stripe_customer_id=stripe_customer_id)
    account = accounts.select_related("customer").first()
    if account is None or not list_second_subscriptions(stripe_customer_id=stripe_customer_id):
        return 0
    _mirror_what_runs(stripe_customer_id)
    seconds = list_second_subscriptions(stripe_customer_id=stripe_customer_id)
    for subscription_id in seconds:
        # First, because a death in between leaves one that runs, and so is found again.
        credit_subscription(stripe_customer_id=stripe_customer_id, subscription_id=subscription_id)
        cancel_subscription(subscription_id, is_invoiced=False)
        cents = credit_subscription(stripe_customer_id=stripe_customer_id, subscription_id=subscription_id)
        void_open_invoices(subscription_id=subscription_id)
        _tell(account, subscription_id, cents, at)
    return len(seconds)


def _mirror_what_runs(stripe_customer_id: str) -> None:
    """Read every subscription anew that runs, or that we hold for running: news of its end may still come."""
    running = sync_live_subscriptions(stripe_customer_id=stripe_customer_id)
    for subscription_id in list_live_subscriptions(stripe_customer_id=stripe_customer_id):
        if subscription_id not in running:
            sync_subscription(subscription_id)


def _tell(account: BillingAccount, subscription_id: str, cents: int, at: datetime) -> None:
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
