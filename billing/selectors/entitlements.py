"""Read a customer's account and entitlement."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from billing.models import BillingAccount, UsageReport
from billing.plans import Plan
from billing.pricing import compute_period_cents, count_remaining, is_next_beyond_cap
from customers.models import Customer

from .trial import count_all_trial_use, count_trial_fixes


@dataclass(frozen=True)
class Entitlement:
    """What an account may do. Amounts are in US cents; `remaining` is None if it is unlimited.

    `used` counts the fixes of the trial or of the current period. `blocked_reason` is None if a fix is
    granted.
    """

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
    spend_cap_cents: int | None = None
    grace_ends_at: datetime | None = None

    @property
    def upgrade_url(self) -> str:
        return find_billing_page()

    @property
    def is_trial_exhausted(self) -> bool:
        return self.blocked_reason in ("trial_exhausted", "owner_trial_exhausted")

    @property
    def is_payment_open(self) -> bool:
        return self.status in (BillingAccount.Status.PAST_DUE, BillingAccount.Status.UNPAID)

    @property
    def can_use_service(self) -> bool:
        return self.blocked_reason is None


def find_billing_page() -> str:
    """Return the absolute URL of the billing page, where people choose plans, pay and set their cap."""
    return f"{settings.BASE_URL}{reverse('billing')}"


def get_account(*, customer: Customer) -> BillingAccount:
    """Return the customer's account, or an unsaved one on trial if there is none."""
    return BillingAccount.objects.filter(customer=customer).first() or BillingAccount(customer=customer)


def count_period_fixes(account: BillingAccount) -> int:
    """Count the fixes that Stripe bills in the current period, by the timestamps of their meter events.

    An unsent fix will be billed in the current period, whenever it occurred. A withdrawn one is not billed. A
    rejected one counts in the period in which it occurred, and in a later one only after staff resend it.
    """
    reports = UsageReport.objects.filter(customer_id=account.customer_id).exclude(
        status=UsageReport.Status.WITHDRAWN
    )
    if account.current_period_start is None:
        return reports.filter(meter_at=None).count()
    start = account.current_period_start
    # Two lookups in one index. A single query with OR would scan all of the customer's reports.
    sent = reports.filter(meter_at__gte=start)
    unsent = reports.filter(meter_at=None).exclude(
        status=UsageReport.Status.PARKED, usage__occurred_at__lt=start
    )
    return sent.values("pk").union(unsent.values("pk"), all=True).count()


def count_used_fixes(account: BillingAccount) -> int:
    """Count the fixes used in the trial or in the current period."""
    if account.plan == BillingAccount.Plan.TRIAL:
        return count_trial_fixes(customer_id=account.customer_id)
    return count_period_fixes(account)


def get_entitlement(*, customer: Customer, at: datetime | None = None) -> Entitlement:
    """Return what the customer may do, in two queries. `at` defaults to now.

    On a trial, `remaining` is limited by what the pools of the customer's namespaces have left.
    """
    account = get_account(customer=customer)
    plan = account.terms
    on_trial = plan.key == "trial"
    used, left = count_all_trial_use(account) if on_trial else (count_period_fixes(account), None)
    included = account.trial_fixes_limit if on_trial else plan.included
    remaining = count_remaining(plan, used)
    if on_trial:
        remaining = max(0, included - used if left is None else min(included - used, left))
    return Entitlement(
        plan=plan,
        status=account.status,
        blocked_reason=find_blocked_reason(account, used, at or timezone.now(), left_in_pool=left),
        used=used,
        included=included,
        remaining=remaining,
        unit_price_cents=plan.unit_price_cents,
        period_start=account.current_period_start,
        period_end=account.current_period_end,
        period_cents=compute_period_cents(plan, used),
        spend_cap_cents=account.spend_cap_cents,
        grace_ends_at=account.grace_ends_at,
    )


def find_blocked_reason(
    account: BillingAccount, used: int, at: datetime, *, left_in_pool: int | None = None
) -> str | None:
    """Return why one more fix would be rejected, or None if it would be granted.

    `used` includes claimed fixes if the caller reserves a slot. `left_in_pool` is what is left of the
    namespace's free fixes, None without a pool.
    """
    if account.status == BillingAccount.Status.TRIALING:
        if used >= account.trial_fixes_limit:
            return "trial_exhausted"
        return None if left_in_pool is None or left_in_pool > 0 else "owner_trial_exhausted"
    if not account.can_meter:
        return f"subscription_{account.status}"
    if account.is_overdue(at):
        return "payment_past_due"
    if is_next_beyond_cap(account.terms, used, account.spend_cap_cents):
        return "spend_cap_reached"
    return None
