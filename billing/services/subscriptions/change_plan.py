"""Preview and make the change of a running subscription to another plan."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from django.core import signing
from django.utils.translation import gettext_noop

from billing.locks import lock_stripe_customer
from billing.models import BillingAccount
from billing.plans import Plan
from billing.pricing import begins_period, is_rest_credited
from billing.selectors.entitlements import count_used_fixes, get_account
from billing.services.metering.settle_usage import settle_usage
from billing.services.subscriptions.record_plan_change import Author
from billing.services.subscriptions.refresh_account import refresh_account, resync_account
from billing.stripe_gateway import plan_changes
from billing.stripe_gateway.errors import CardDeclined
from billing.stripe_gateway.plan_changes import PreviewLine, preview_plan
from core.errors import DomainError
from customers.models import Customer

log = structlog.get_logger(__name__)

SALT = "billing.change_plan"
PREVIEW_SECONDS = 15 * 60


class PlanNotChangeable(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop("Only an active, paid plan can be changed.")


class PreviewOutdated(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop(
        "This preview has expired, or your plan has changed since. Review the change again."
    )


class PaymentDeclined(DomainError):
    code, status = "PAYMENT_DECLINED", 402
    message = gettext_noop(
        "Your card was declined, and your plan has not changed. Update the card and try again."
    )


@dataclass(frozen=True)
class ChangePreview:
    """What a plan change costs as Stripe computes it now. Amounts are integer US cents.

    The immediate invoice is `charge_cents` minus `credit_cents`. `now_cents` of it is collected after the
    customer's balance is applied; `kept_cents` is added to the balance for later invoices. A fix that is
    stored before the change is confirmed is charged as well; everything else is charged as shown.
    `begins_period`: a new month starts at its full price. `is_used_up`: the old monthly price is not
    prorated.
    """

    plan: Plan
    now_cents: int
    credit_cents: int
    charge_cents: int
    kept_cents: int
    lines: list[PreviewLine]
    effective_at: datetime
    token: str
    begins_period: bool
    is_used_up: bool


def preview_change(*, customer: Customer, plan: Plan, at: datetime) -> ChangePreview:
    """Return what changing to a plan costs now, with a signed token that confirms it for 15 minutes.

    Writes nothing; calls Stripe. Raises PlanNotChangeable, StripeUnavailable, StripeRejected.
    Source: https://docs.stripe.com/api/invoices/create_preview
    """
    account = _get_changeable(customer)
    if account.plan == plan.key:
        raise PlanNotChangeable(gettext_noop("You are already on this plan."))
    begins = begins_period(account.terms, plan)
    preview = partial(
        preview_plan,
        subscription_id=str(account.subscription_id),
        plan=plan,
        begins_period=begins,
    )
    found = preview()
    shown_at = int(at.timestamp()) if found.prorated_at is None else found.prorated_at
    requested: dict[str, Any] = {
        "subscription": account.subscription_id,
        "plan": plan.key,
        "period": _read_start(account),
        "whole": found.period_end - found.period_start,
        "at": shown_at,
        "prorated_at": shown_at,
    }
    requested["used_up"] = _is_used_up(account, plan, requested)
    if requested["used_up"]:
        # Prorating from the period's last second credits nothing, while the usage is invoiced all the same.
        # Turning prorations off is no alternative: Stripe would not invoice the usage either.
        requested["prorated_at"] = found.period_end - 1
        found = preview(prorated_at=requested["prorated_at"])
    return ChangePreview(
        plan=plan,
        now_cents=found.due_cents,
        credit_cents=-sum(min(0, line.amount_cents) for line in found.lines),
        charge_cents=sum(max(0, line.amount_cents) for line in found.lines),
        kept_cents=max(0, -found.total_cents),
        lines=found.lines,
        effective_at=datetime.fromtimestamp(shown_at, UTC),
        token=signing.dumps(requested, salt=SALT),
        begins_period=begins,
        is_used_up=requested["used_up"],
    )


def change_plan(
    *, customer: Customer, plan: Plan, preview_token: str, by: Author | None = None
) -> BillingAccount:
    """Change to a plan as previewed: usage so far is invoiced at the old price, later usage at the new one.

    Commits; calls Stripe; safe to repeat. If it fails, the plan has not changed. If the bank requires
    authentication (3-D Secure), the plan changes and its invoice stays open for the person to confirm.
    Raises PreviewOutdated, PlanNotChangeable, UsageStillUnreported, PaymentDeclined, StripeUnavailable,
    StripeRejected. Source: docs/decisions/007-plan-changes-and-failed-payments.md
    """
    account = _get_changeable(customer)
    requested = _read_token(preview_token, account, plan)
    if account.plan == plan.key:
        # A repeated confirmation. Checked before the period, which the first one may have restarted.
        return account
    if requested["period"] != _read_start(account):
        raise PreviewOutdated
    settle_usage(customer=customer)
    resync_account(account)
    fresh = get_account(customer=customer)
    _reject_ending(fresh)
    # If an earlier request changed the plan but its response was lost, continue: the swap is idempotent.
    if fresh.plan == account.plan and _is_used_up(fresh, plan, requested) != requested["used_up"]:
        raise PreviewOutdated
    stripe_customer_id = str(account.stripe_customer_id)
    with lock_stripe_customer(stripe_customer_id):
        _swap(plan, requested, begins=begins_period(account.terms, plan))
        refresh_account(stripe_customer_id=stripe_customer_id, by=by)
    log.info("plan_changed", customer=str(customer.pk), plan=plan.key, plan_before=account.plan)
    return get_account(customer=customer)


def _get_changeable(customer: Customer) -> BillingAccount:
    account = get_account(customer=customer)
    if account.subscription_id is None or account.status != BillingAccount.Status.ACTIVE:
        raise PlanNotChangeable
    _reject_ending(account)
    return account


def _reject_ending(account: BillingAccount) -> None:
    """Raise PlanNotChangeable for a plan that is set to end: a new month would be cut off by that end."""
    if account.cancel_at is not None:
        raise PlanNotChangeable(gettext_noop("This plan is set to end. Resume it before you change it."))


def _read_start(account: BillingAccount) -> int:
    return int(account.current_period_start.timestamp()) if account.current_period_start else 0


def _is_used_up(account: BillingAccount, plan: Plan, requested: dict[str, Any]) -> bool:
    """Whether the month's fixes have used up the monthly price, as of the time of the preview."""
    old = account.terms
    return not begins_period(old, plan) and not is_rest_credited(
        old,
        plan,
        count_used_fixes(account),
        elapsed_seconds=requested["at"] - _read_start(account),
        whole_seconds=requested["whole"],
    )


def _read_token(token: str, account: BillingAccount, plan: Plan) -> dict[str, Any]:
    try:
        requested: dict[str, Any] = signing.loads(token, salt=SALT, max_age=PREVIEW_SECONDS)
    except signing.BadSignature as error:
        raise PreviewOutdated from error
    if requested["subscription"] != account.subscription_id or requested["plan"] != plan.key:
        raise PreviewOutdated
    return requested


def _swap(plan: Plan, requested: dict[str, Any], *, begins: bool) -> None:
    """Swap the prices; if the bank requires authentication, retry and leave the invoice open.

    The first attempt must not leave one open: a declined card would then leave the plan changed and unpaid.
    """
    for may_stay_open in (False, True):
        try:
            plan_changes.change_plan(
                subscription_id=requested["subscription"],
                plan=plan,
                begins_period=begins,
                prorated_at=requested["prorated_at"],
                request_key=str(requested["at"]),
                may_stay_open=may_stay_open,
            )
            return
        except CardDeclined as error:
            if may_stay_open or not error.needs_person:
                raise PaymentDeclined from error
