"""An account's plan and state are derived from what dj-stripe mirrors, in whatever order news comes."""

from datetime import UTC, datetime
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone
from djstripe.models import Customer as StripeCustomer
from djstripe.models import Invoice, Subscription

from billing import stripe_gateway
from billing.locks import hold_stripe_customer
from billing.models import BillingAccount
from billing.plans import Plan
from billing.selectors.prices import find_terms
from billing.stripe_gateway import find_plan, read_id, read_person

from .note_plan import Author, note_plan, read_plan_state

log = structlog.get_logger(__name__)

Status = BillingAccount.Status

STATUSES: dict[str, Status] = {
    "active": Status.ACTIVE,
    "trialing": Status.ACTIVE,
    "past_due": Status.PAST_DUE,
    "unpaid": Status.UNPAID,
    "incomplete": Status.UNPAID,
    "paused": Status.UNPAID,
    "incomplete_expired": Status.CANCELED,
    "canceled": Status.CANCELED,
}

PAYING = (Status.ACTIVE, Status.PAST_DUE)


def link_stripe_customer(*, stripe_customer_id: str) -> None:
    """Note which Stripe customer stands for ours, where dj-stripe knows. Repeating it changes nothing.

    One that was deleted is not taken again, whatever late news of it comes.
    """
    known = StripeCustomer.objects.filter(id=stripe_customer_id, date_purged=None)
    subscriber_id = known.values_list("subscriber_id", flat=True).first()
    if subscriber_id is not None:
        BillingAccount.objects.filter(customer_id=subscriber_id, stripe_customer=None).update(
            stripe_customer_id=stripe_customer_id
        )


@transaction.atomic
def forget_stripe_customer(*, stripe_customer_id: str) -> None:
    """Let go of a customer that was deleted at Stripe, with all that ran there. Repeating it changes nothing.

    The next plan gets a new one.
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
    note_plan(account, before, by=None, at=timezone.now())
    log.warning("stripe_customer_deleted", customer=str(account.pk), stripe_customer=stripe_customer_id)


@transaction.atomic
def refresh_account(*, stripe_customer_id: str, by: Author | None = None) -> None:
    """Derive plan, state and period from all of the customer's subscriptions. Safe in any order, and twice.

    A live subscription wins over an ended one. Of ended ones the newest counts, of live ones the oldest that
    is paid for: a second one is going to be ended. One that is to none of our plans is left out. A plan that
    was chosen and is not yet opened stays pending. What became of the plan is written down with it, as done
    `by` somebody; a plan that begins, as done by the person who chose it on Checkout.
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
    plan, current = _choose(found)
    if plan is None or current is None or _is_older_than_wish(account, current):
        return
    if sum(_read_status(data) != Status.CANCELED for _, data in found) > 1:
        log.error("more_than_one_subscription", customer=str(account.pk), followed=current["id"])
    before = read_plan_state(account)
    account.plan, account.status = plan.key, _read_status(current)
    account.set_terms(find_terms(plan, current))
    if account.subscription_id != current["id"]:
        account.subscription_id, account.past_due_since = current["id"], None
    account.current_period_start, account.current_period_end = read_period(current)
    account.cancel_at = read_end(current)
    account.past_due_since = _find_first_failure(account)
    account.save()
    note_plan(account, before, by=by, chosen_by=read_person(current), at=timezone.now())
    log.info("account_refreshed", customer=str(account.pk), plan=plan.key, status=account.status)


def resync_account(account: BillingAccount) -> None:
    """Read the account's subscription from Stripe and derive its state anew. Calls out.

    Raises StripeUnavailable, StripeRefused.
    """
    if account.subscription_id is None or account.stripe_customer_id is None:
        return
    with hold_stripe_customer(account.stripe_customer_id):
        stripe_gateway.sync_subscription(account.subscription_id)
        refresh_account(stripe_customer_id=account.stripe_customer_id)


def list_second_subscriptions(*, stripe_customer_id: str) -> list[str]:
    """What runs beside the oldest subscription, as last mirrored; nothing where that one is not paid for."""
    live = _list_live(stripe_customer_id)
    return [data["id"] for data in live[1:]] if live and _read_status(live[0]) in PAYING else []


def list_live_subscriptions(*, stripe_customer_id: str) -> list[str]:
    """What runs, as last mirrored, the oldest first."""
    return [data["id"] for data in _list_live(stripe_customer_id)]


def _list_live(stripe_customer_id: str) -> list[dict[str, Any]]:
    found = [data for _, data in _list_subscriptions(stripe_customer_id)]
    live = [data for data in found if _read_status(data) != Status.CANCELED]
    return sorted(live, key=_age)


def _list_subscriptions(stripe_customer_id: str) -> list[tuple[Plan, dict[str, Any]]]:
    """The customer's subscriptions to our plans, ended ones too."""
    mirrored = [row.stripe_data for row in Subscription.objects.filter(customer__id=stripe_customer_id)]
    found = [(plan, data) for data in mirrored if (plan := find_plan(data)) is not None]
    if len(found) < len(mirrored):
        log.warning(
            "subscription_without_plan", customer=stripe_customer_id, count=len(mirrored) - len(found)
        )
    return found


def _choose(found: list[tuple[Plan, dict[str, Any]]]) -> tuple[Plan, dict[str, Any]] | tuple[None, None]:
    """The subscription that is followed, with its plan. See docs/decisions/006."""
    by_age = sorted(found, key=lambda each: _age(each[1]))
    live = [each for each in by_age if _read_status(each[1]) != Status.CANCELED]
    paid = [each for each in live if _read_status(each[1]) in PAYING]
    return next(iter(paid or live or by_age[::-1]), (None, None))


def _age(data: dict[str, Any]) -> tuple[int, str]:
    return data["created"], data["id"]


def _is_older_than_wish(account: BillingAccount, data: dict[str, Any]) -> bool:
    """Whether the news is of a subscription that ended before the plan now pending was chosen."""
    return account.status == Status.PENDING and _read_status(data) == Status.CANCELED


def _find_first_failure(account: BillingAccount) -> datetime | None:
    """When the payment that is now open failed first: it is tried as soon as its invoice is final.

    Read from the mirrored invoices of the subscription that is followed, so that it is the same whatever news
    came first; kept until they tell.
    """
    if account.status not in (Status.PAST_DUE, Status.UNPAID):
        return None
    invoices = Invoice.objects.filter(customer__id=account.stripe_customer_id, stripe_data__status="open")
    found = [
        data
        for data in invoices.values_list("stripe_data", flat=True)
        if data.get("attempted") and _read_subscription(data) == account.subscription_id
    ]
    instants = [data["status_transitions"]["finalized_at"] or data["created"] for data in found]
    return datetime.fromtimestamp(min(instants), UTC) if instants else account.past_due_since


def _read_subscription(invoice: dict[str, Any]) -> str | None:
    """The subscription that an invoice is of."""
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    subscription = details.get("subscription")
    return None if subscription is None else read_id(subscription)


def _read_status(data: dict[str, Any]) -> Status:
    return STATUSES.get(data["status"], Status.UNPAID)


def read_end(data: dict[str, Any]) -> datetime | None:
    """When a running subscription is to end."""
    if _read_status(data) == Status.CANCELED:
        return None
    end = data.get("cancel_at")
    if end is None and data.get("cancel_at_period_end"):
        end = data["items"]["data"][0]["current_period_end"]
    return None if end is None else datetime.fromtimestamp(end, UTC)


def read_period(data: dict[str, Any]) -> tuple[datetime, datetime]:
    """The current period, which today's API keeps on the items; since the last change of plan within it.

    A changed plan counts fixes, included ones too, from the instant that its price came to be.
    """
    items = data["items"]["data"]
    item = next((each for each in items if _is_metered(each)), items[0])
    start, end = item["current_period_start"], item["current_period_end"]
    if item.get("created") and start < item["created"] < end:
        start = item["created"]
    return datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)


def _is_metered(item: dict[str, Any]) -> bool:
    return (item["price"].get("recurring") or {}).get("usage_type") == "metered"
