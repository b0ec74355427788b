"""Derive an account's plan and status from dj-stripe's mirror, in whatever order webhooks arrive."""

from collections.abc import Iterable
from datetime import datetime

import structlog
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop
from djstripe.models import Customer as StripeCustomer
from djstripe.models import Invoice

from billing.locks import lock_stripe_customer
from billing.models import BillingAccount
from billing.selectors.prices import find_terms
from billing.services.subscriptions.record_plan_change import Author, read_plan_state, record_plan_change
from billing.stripe_gateway.mirrored import is_failed, list_customer_subscriptions, list_invoices
from billing.stripe_gateway.snapshots import SubscriptionSnapshot
from billing.stripe_gateway.subscriptions import sync_subscription
from core.errors import DomainError

log = structlog.get_logger(__name__)

Status = BillingAccount.Status

# Source: https://docs.stripe.com/api/subscriptions/object#subscription_object-status
STATUSES: dict[str, Status] = {
    "active": Status.ACTIVE,
    "trialing": Status.ACTIVE,
    "past_due": Status.PAST_DUE,
    "unpaid": Status.UNPAID,
    # The first payment has not succeeded yet.
    "incomplete": Status.UNPAID,
    "paused": Status.UNPAID,
    "incomplete_expired": Status.CANCELED,
    "canceled": Status.CANCELED,
}

PAYING = (Status.ACTIVE, Status.PAST_DUE)


class StripeCustomerTaken(DomainError):
    """A Stripe customer's metadata names one of our customers, but another one's account has it.

    Nothing is linked until staff correct the metadata in Stripe's dashboard.
    """

    code, status = "CONFLICT", 409
    message = gettext_noop("Your account could not be linked to our payment provider. Contact support.")


def link_stripe_customer(*, stripe_customer_id: str) -> None:
    """Link a Stripe customer to our account if dj-stripe has its subscriber. Commits; safe to repeat.

    A deleted Stripe customer is not linked again, even if a late webhook mentions it. Raises
    StripeCustomerTaken.
    """
    known = StripeCustomer.objects.filter(id=stripe_customer_id, date_purged=None)
    subscriber_id = known.values_list("subscriber_id", flat=True).first()
    if subscriber_id is None:
        return
    # Even if there is nothing to link: the mirror's invoices would belong to the subscriber.
    if BillingAccount.objects.filter(stripe_customer=stripe_customer_id).exclude(pk=subscriber_id).exists():
        raise StripeCustomerTaken
    set_stripe_customer(
        BillingAccount.objects.filter(pk=subscriber_id, stripe_customer=None), stripe_customer_id
    )


def set_stripe_customer(accounts: QuerySet[BillingAccount], stripe_customer_id: str) -> None:
    """Set the Stripe customer of a queryset's one account. Raises StripeCustomerTaken if another has it."""
    try:
        # A savepoint, so that the IntegrityError leaves the outer transaction usable.
        with transaction.atomic():
            accounts.update(stripe_customer_id=stripe_customer_id)
    except IntegrityError as error:
        raise StripeCustomerTaken from error


@transaction.atomic
def unlink_stripe_customer(*, stripe_customer_id: str) -> None:
    """Unlink a customer that was deleted at Stripe, and cancel its plan here. Commits; safe to repeat.

    Stripe cancels the subscriptions of a deleted customer. The next plan creates a new Stripe customer.
    Source: https://docs.stripe.com/api/customers/delete
    """
    locked = BillingAccount.objects.select_for_update(of=("self",)).select_related("customer")
    account = locked.filter(stripe_customer_id=stripe_customer_id).first()
    if account is None:
        return
    before = read_plan_state(account)
    if account.has_subscription:
        account.status, account.cancel_at, account.past_due_since = Status.CANCELED, None, None
    account.stripe_customer_id = account.subscription_id = None
    account.save()
    record_plan_change(account, before, by=None, at=timezone.now())
    log.warning("stripe_customer_deleted", customer=str(account.pk), stripe_customer=stripe_customer_id)


@transaction.atomic
def refresh_account(*, stripe_customer_id: str, by: Author | None = None) -> None:
    """Derive plan, status and period from all of the customer's mirrored subscriptions.

    A live subscription takes precedence over an ended one. Of ended ones the newest counts; of live ones the
    oldest paid one, since a second one is going to be ended. Subscriptions to other products are ignored. A
    plan that was chosen but has no subscription yet stays pending. The change is recorded as made `by` a
    person; a plan that starts is attributed to the person who chose it on Checkout. Locks the account's row;
    commits; makes no Stripe call; safe to repeat and in any order.
    """
    account = (
        BillingAccount.objects.select_for_update(of=("self",))
        .select_related("customer")
        .filter(stripe_customer_id=stripe_customer_id)
        .first()
    )
    if account is None:
        return
    found = _list_subscriptions(stripe_customer_id)
    current = choose_subscription(found)
    if current is None or current.plan is None or _is_older_than_request(account, current):
        return
    if sum(not each.is_ended for each in found) > 1:
        log.error("more_than_one_subscription", customer=str(account.pk), followed=current.subscription_id)
    before = read_plan_state(account)
    account.plan, account.status = current.plan.key, read_status(current)
    account.set_terms(find_terms(current.plan, current.price_ids))
    if account.subscription_id != current.subscription_id:
        # Another subscription's failure says nothing about this one.
        account.subscription_id, account.past_due_since = current.subscription_id, None
    account.current_period_start = current.current_period_start
    account.current_period_end = current.current_period_end
    account.cancel_at = current.cancel_at
    account.past_due_since = _find_first_failure(account)
    account.save()
    record_plan_change(account, before, by=by, chosen_by=current.chosen_by, at=timezone.now())
    log.info("account_refreshed", customer=str(account.pk), plan=account.plan, status=account.status)


def resync_account(account: BillingAccount) -> None:
    """Sync the account's subscription from Stripe and derive its state again.

    Commits; calls Stripe; safe to repeat. Raises StripeUnavailable, StripeRejected.
    """
    if account.subscription_id is None or account.stripe_customer_id is None:
        return
    with lock_stripe_customer(account.stripe_customer_id):
        sync_subscription(account.subscription_id)
        refresh_account(stripe_customer_id=account.stripe_customer_id)


def find_status(*, stripe_customer_id: str) -> Status | None:
    """Return the status that `refresh_account` would derive now, or None without a subscription."""
    current = choose_subscription(_list_subscriptions(stripe_customer_id))
    return None if current is None else read_status(current)


def list_second_subscriptions(*, stripe_customer_id: str) -> list[str]:
    """Return the ids of the mirrored subscriptions that run beside the oldest one, if that one is paid."""
    live = _list_live(stripe_customer_id)
    return [each.subscription_id for each in live[1:]] if live and read_status(live[0]) in PAYING else []


def list_live_subscriptions(*, stripe_customer_id: str) -> list[str]:
    """Return the ids of the running subscriptions in the mirror, oldest first."""
    return [each.subscription_id for each in _list_live(stripe_customer_id)]


def read_status(subscription: SubscriptionSnapshot) -> Status:
    # A status that Stripe adds later blocks new fixes until it is listed.
    return STATUSES.get(subscription.status, Status.UNPAID)


def choose_subscription(found: Iterable[SubscriptionSnapshot]) -> SubscriptionSnapshot | None:
    """Return the subscription that determines the account: the oldest paid live one, or the oldest live one.

    If none is live, returns the one created last. Source: docs/decisions/006-webhook-inbox.md.
    """
    by_age = sorted(found, key=_get_age)
    live = [each for each in by_age if not each.is_ended]
    paid = [each for each in live if read_status(each) in PAYING]
    return next(iter(paid or live or by_age[::-1]), None)


def _get_age(subscription: SubscriptionSnapshot) -> tuple[datetime, str]:
    return subscription.created_at, subscription.subscription_id


def _list_live(stripe_customer_id: str) -> list[SubscriptionSnapshot]:
    live = [each for each in _list_subscriptions(stripe_customer_id) if not each.is_ended]
    return sorted(live, key=_get_age)


def _list_subscriptions(stripe_customer_id: str) -> list[SubscriptionSnapshot]:
    """List the customer's subscriptions to our plans, including ended ones."""
    mirrored = list_customer_subscriptions(stripe_customer_id)
    found = [each for each in mirrored if each.plan is not None]
    if len(found) < len(mirrored):
        log.warning(
            "subscription_without_plan", customer=stripe_customer_id, count=len(mirrored) - len(found)
        )
    return found


def _is_older_than_request(account: BillingAccount, subscription: SubscriptionSnapshot) -> bool:
    """Whether the subscription has ended while a newly chosen plan is pending.

    It belongs to an earlier plan, and must not cancel the pending one.
    """
    return account.status == Status.PENDING and subscription.is_ended


def _find_first_failure(account: BillingAccount) -> datetime | None:
    """Return when the open payment first failed. Stripe first attempts it when the invoice is finalized.

    Derived from the mirrored invoices of the account's subscription, not from the time of the webhook, so
    that the order of webhooks does not change it. Without a failed invoice, the stored time is kept.
    """
    if account.status not in (Status.PAST_DUE, Status.UNPAID):
        return None
    rows = Invoice.objects.filter(is_failed(), customer__id=account.stripe_customer_id)
    found = [
        invoice.finalized_at or invoice.created_at
        for invoice in list_invoices(rows)
        if invoice.subscription_id == account.subscription_id
    ]
    return min(found, default=account.past_due_since)
