"""Cancel a plan at the end of its period, or withdraw that cancellation."""

from datetime import datetime

from django.utils.translation import gettext_noop

from billing.locks import lock_stripe_customer
from billing.models import BillingAccount
from billing.selectors.entitlements import get_account
from billing.services.subscriptions.cancel_plan import NoPlanToCancel
from billing.services.subscriptions.record_plan_change import Author
from billing.services.subscriptions.refresh_account import refresh_account
from billing.stripe_gateway.subscriptions import set_cancellation
from core.errors import DomainError
from customers.models import Customer


class NothingToResume(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop("This account's plan has already ended. Choose a plan to continue.")


def cancel_at_period_end(*, customer: Customer, at: datetime, by: Author | None = None) -> None:
    """Cancel the plan at the end of its current period; until then nothing changes.

    Commits; calls Stripe; safe to repeat. Raises NoPlanToCancel, StripeUnavailable, StripeRejected.
    """
    account = get_account(customer=customer)
    if not account.has_subscription or account.subscription_id is None:
        raise NoPlanToCancel
    _set_cancellation(account, at_period_end=True, at=at, by=by)


def resume_plan(*, customer: Customer, at: datetime, by: Author | None = None) -> None:
    """Withdraw a scheduled cancellation. Commits; calls Stripe; safe to repeat.

    Raises NothingToResume, StripeUnavailable, StripeRejected.
    """
    account = get_account(customer=customer)
    if not account.has_subscription or account.subscription_id is None:
        raise NothingToResume
    if account.cancel_at is not None:
        _set_cancellation(account, at_period_end=False, at=at, by=by)


def _set_cancellation(
    account: BillingAccount, *, at_period_end: bool, at: datetime, by: Author | None
) -> None:
    if account.subscription_id is None or account.stripe_customer_id is None:
        return
    with lock_stripe_customer(account.stripe_customer_id):
        set_cancellation(
            subscription_id=account.subscription_id,
            at_period_end=at_period_end,
            request_key=f"{account.subscription_id}-{at_period_end}-{at.timestamp()}",
        )
        refresh_account(stripe_customer_id=account.stripe_customer_id, by=by)
