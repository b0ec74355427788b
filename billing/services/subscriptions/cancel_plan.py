"""Cancel a customer's subscription immediately."""

import structlog
from django.utils.translation import gettext_noop

from billing.locks import lock_stripe_customer
from billing.models import BillingAccount
from billing.selectors.entitlements import get_account
from billing.services.metering.settle_usage import settle_usage
from billing.services.subscriptions.record_plan_change import Author
from billing.services.subscriptions.refresh_account import refresh_account
from billing.stripe_gateway.checkout import expire_checkouts
from billing.stripe_gateway.subscriptions import cancel_subscription, sync_live_subscriptions
from core.errors import DomainError
from customers.models import Customer

log = structlog.get_logger(__name__)


class NoPlanToCancel(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop("This account has no subscription to cancel.")


def cancel_plan(*, customer: Customer, by: Author | None = None) -> None:
    """Cancel the customer's subscription now and invoice its usage.

    Unreported fixes are reported first, because a canceled subscription bills nothing more. Commits; calls
    Stripe; safe to repeat.
    Raises NoPlanToCancel, UsageStillUnreported, StripeUnavailable, StripeRejected.
    """
    account = get_account(customer=customer)
    if account.subscription_id is None or account.stripe_customer_id is None:
        raise NoPlanToCancel
    if account.status == BillingAccount.Status.CANCELED:
        return
    if account.can_meter:
        settle_usage(customer=customer)
    with lock_stripe_customer(account.stripe_customer_id):
        cancel_subscription(account.subscription_id)
        refresh_account(stripe_customer_id=account.stripe_customer_id, by=by)


def end_all_plans(*, customer: Customer) -> None:
    """Cancel all of the customer's subscriptions at Stripe, and expire the open Checkout sessions.

    Includes subscriptions that are not mirrored yet. The oldest is invoiced as in `cancel_plan`. Others are
    canceled without an invoice, because the meter counts the same fixes for them. Commits; calls Stripe; safe
    to repeat. Raises UsageStillUnreported, StripeUnavailable, StripeRejected.
    """
    stripe_customer_id = get_account(customer=customer).stripe_customer_id
    if stripe_customer_id is None:
        return
    with lock_stripe_customer(stripe_customer_id):
        # First, so that no open session can start another subscription afterwards.
        expire_checkouts(stripe_customer_id=stripe_customer_id)
        sync_live_subscriptions(stripe_customer_id=stripe_customer_id)
        refresh_account(stripe_customer_id=stripe_customer_id)
    if get_account(customer=customer).can_meter:
        settle_usage(customer=customer)
    with lock_stripe_customer(stripe_customer_id):
        # Listed again, because settling ran outside the lock. Newest first, so the last one is the oldest.
        live = sync_live_subscriptions(stripe_customer_id=stripe_customer_id)
        for subscription_id in reversed(live):
            cancel_subscription(subscription_id, is_invoiced=subscription_id == live[-1])
        if len(live) > 1:
            log.error("subscriptions_ended", customer=str(customer.pk), count=len(live))
        refresh_account(stripe_customer_id=stripe_customer_id)
