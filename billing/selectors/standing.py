"""Where an account stands, and what it may still do."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from billing.models import BillingAccount, UsageRecord, UsageReport
from billing.plans import PLANS, Plan
from billing.pricing import compute_period_cents, count_remaining
from customers.models import Customer


@dataclass(frozen=True)
class Entitlement:
    """What an account may still do. Amounts are in US cents; `remaining` None means without a bound."""

    plan: Plan
    status: str
    blocked_reason: str | None
    used: int
    included: int
    remaining: int | None
    unit_price_cents: int
    period_start: datetime | None
    period_end: datetime | None
    period_cents: int

    @property
    def upgrade_url(self) -> str:
        return f"{settings.BASE_URL}/dashboard/"

    @property
    def can_use_service(self) -> bool:
        return self.blocked_reason is None


def get_account(*, customer: Customer) -> BillingAccount:
    """Where the customer stands; a trial where nothing is known yet, not saved."""
    return BillingAccount.objects.filter(customer=customer).first() or BillingAccount(customer=customer)


def count_trial_fixes(*, customer_id: UUID) -> int:
    return UsageRecord.objects.filter(customer_id=customer_id, coverage=UsageRecord.Coverage.TRIAL).count()


def count_period_fixes(account: BillingAccount) -> int:
    """Fixes that Stripe bills in the current period: by the instant of their meter events.

    One that is not sent yet is going to be billed in the period, whenever it occurred.
    """
    reports = UsageReport.objects.filter(customer_id=account.customer_id)
    if account.current_period_start is None:
        return reports.filter(meter_at=None).count()
    in_period = Q(meter_at=None) | Q(meter_at__gte=account.current_period_start)
    return reports.filter(in_period).count()


def get_entitlement(*, customer: Customer) -> Entitlement:
    """What the customer may still do, in two queries."""
    account = get_account(customer=customer)
    plan = PLANS[account.plan]
    on_trial = plan.key == "trial"
    used = count_trial_fixes(customer_id=customer.pk) if on_trial else count_period_fixes(account)
    included = account.trial_fixes_limit if on_trial else plan.included
    remaining = max(0, included - used) if on_trial else count_remaining(plan, used)
    return Entitlement(
        plan=plan,
        status=account.status,
        blocked_reason=_find_blocked_reason(account, remaining),
        used=used,
        included=included,
        remaining=remaining,
        unit_price_cents=plan.unit_price_cents,
        period_start=account.current_period_start,
        period_end=account.current_period_end,
        period_cents=compute_period_cents(plan, used),
    )


def _find_blocked_reason(account: BillingAccount, remaining: int | None) -> str | None:
    if account.status == BillingAccount.Status.TRIALING:
        return "trial_exhausted" if remaining == 0 else None
    return None if account.can_meter else f"subscription_{account.status}"
