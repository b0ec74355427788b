"""Record plan changes in the audit log and notify customers, in the transaction that saves the account."""

from dataclasses import dataclass
from datetime import datetime

from billing.models import BillingAccount, Notification
from billing.plans import PLANS
from billing.services.notifications.notify_customer import notify_customer
from customers.models import AuditLogEntry, User
from customers.services.record_audit_log_entry import record_audit_log_entry

Action, Status = AuditLogEntry.Action, BillingAccount.Status


@dataclass(frozen=True)
class Author:
    """Who changes a plan, and from which address and device. None means that a Stripe webhook did."""

    user: User
    address: str | None = None
    device: str = ""


@dataclass(frozen=True)
class PlanState:
    """The part of an account that is compared before and after it is derived again."""

    plan: str
    subscription_id: str | None
    is_open: bool
    cancel_at: datetime | None


def read_plan_state(account: BillingAccount) -> PlanState:
    is_open = account.has_subscription and account.status != Status.PENDING
    return PlanState(account.plan, account.subscription_id, is_open, account.cancel_at)


def record_plan_change(
    account: BillingAccount, before: PlanState, *, by: Author | None, at: datetime, chosen_by: str = ""
) -> None:
    """Record what has changed in the audit log, and notify the customer of a different plan.

    A plan that starts is attributed to the user with the id `chosen_by` unless `by` is given. Call inside the
    transaction that saves the account, with its row locked, so that each change is recorded exactly once.
    """
    after = read_plan_state(account)
    found = _describe(before, after)
    if found is None:
        return
    action, subject = found
    # A webhook starts the plan, but a person has chosen it at Checkout.
    if by is None and after.is_open and not before.is_open:
        by = _find_author(chosen_by)
    record_audit_log_entry(
        customer=account.customer,
        action=action,
        actor=by.user if by else None,
        address=by.address if by else None,
        device=by.device if by else "",
        subject=subject,
        at=at,
    )
    if _is_change(before, after):
        terms = account.terms
        began = f"{account.current_period_start:%Y-%m-%dT%H:%M:%S}" if account.current_period_start else ""
        notify_customer(
            customer=account.customer,
            kind=Notification.Kind.PLAN_CHANGED,
            reference=f"{account.subscription_id}-{after.plan}-{began}",
            data={
                "plan": after.plan,
                "plan_before": before.plan,
                "monthly_price_cents": terms.monthly_price_cents,
                "included": terms.included,
                "unit_price_cents": terms.unit_price_cents,
            },
            at=at,
        )


def _find_author(person: str) -> Author | None:
    # From Stripe's metadata, which its dashboard can edit. isascii: "²" is a digit, but no int.
    user = User.objects.filter(pk=int(person)).first() if person.isascii() and person.isdigit() else None
    return Author(user) if user else None


def _is_change(before: PlanState, after: PlanState) -> bool:
    """Whether a running subscription has a different plan. A new subscription is not a plan change."""
    is_same = before.subscription_id == after.subscription_id
    return is_same and before.is_open and after.is_open and before.plan != after.plan


def _describe(before: PlanState, after: PlanState) -> tuple[AuditLogEntry.Action, str] | None:
    name = PLANS[after.plan].name
    if before.is_open != after.is_open:
        is_end = before.is_open
        return (
            (Action.PLAN_CANCELED, f"{name}, ended") if is_end else (Action.PLAN_CHANGED, f"{name}, started")
        )
    if not after.is_open:
        return None
    if before.plan != after.plan:
        return Action.PLAN_CHANGED, f"{PLANS[before.plan].name} to {name}"
    if (before.cancel_at is None) != (after.cancel_at is None):
        is_resumed = after.cancel_at is None
        return (
            (Action.PLAN_CHANGED, "cancellation withdrawn")
            if is_resumed
            else (Action.PLAN_CANCELED, "at the end of its period")
        )
    return None
