"""Find what a fix costs on the invoice that billed it, from dj-stripe's mirror."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from djstripe.models import Invoice

from billing.models import BillingAccount, CorrectionReport, UsageCorrection, UsageRecord, UsageReport
from billing.plans import PAYG, Plan, find_plan_by_product
from billing.pricing import compute_marginal_cents
from billing.stripe_gateway.mirrored import (
    has_status,
    list_customer_subscriptions,
    list_invoices,
    list_metered_prices,
    list_prices,
)
from billing.stripe_gateway.snapshots import InvoiceLineSnapshot

OWED = ("open", "paid")
# Not paid and no longer due, so there is nothing to credit.
UNCOLLECTED = ("uncollectible", "void")


@dataclass(frozen=True)
class BilledFixes:
    """The fixes that one metered price billed for `start <= t < end`, all tiers together.

    `plan` has the price of the invoice, which may be a former one.
    """

    plan: Plan
    start: datetime
    end: datetime
    fixes: int


def find_fix_price(*, correction: UsageCorrection, account: BillingAccount) -> int | None:
    """Return what to credit for a fix, in US cents, or None while that is uncertain.

    The price is that of the period's last fix which is not credited yet, so that credits never exceed what
    was charged. It is zero if the invoice was voided or written off. Without an invoice, the price is certain
    only on pay as you go, whose fixes all cost the same; on other plans it depends on the period's final
    count.
    """
    usage, start = correction.usage, account.current_period_start
    meter_at = usage.report.meter_at
    assert meter_at is not None, "a reported fix has a timestamp"
    billed = find_billed_fixes(usage=usage, meter_at=meter_at)
    if billed is None:
        if _find_span(usage, meter_at, UNCOLLECTED) is not None:
            return 0
        # Also uncertain for a fix that no plan may have billed: the caller asks Stripe before it decides.
        is_current = start is not None and meter_at >= start
        if not is_current or was_without_plan(usage=usage, account=account):
            return None
        return usage.unit_price_cents if usage.plan == account.plan == PAYG.key else None
    plan = billed.plan
    if plan.key == usage.plan:
        plan = replace(plan, unit_price_cents=usage.unit_price_cents)
    return compute_marginal_cents(plan, max(0, billed.fixes - count_credited(usage=usage, billed=billed)))


def find_billed_fixes(*, usage: UsageRecord, meter_at: datetime) -> BilledFixes | None:
    """Return the period that billed a fix metered at `meter_at`, or None without an open or paid invoice.

    If the invoices of two plans cover it, the fix's own plan takes precedence.
    """
    return _find_span(usage, meter_at, OWED)


def was_billed(*, usage: UsageRecord, meter_at: datetime) -> bool:
    """Whether an invoice charged for a fix that is off the meter now.

    Invoices list quantities, not fixes. Fixes of one customer and period are interchangeable, so this one was
    billed if the invoice has more fixes than the others account for.
    """
    billed = find_billed_fixes(usage=usage, meter_at=meter_at)
    if billed is None:
        return False
    others = UsageReport.objects.filter(
        customer=usage.customer_id, meter_at__gte=billed.start, meter_at__lt=billed.end
    ).exclude(pk=usage.pk)
    reported = others.filter(status=UsageReport.Status.REPORTED).count()
    credited = others.filter(
        status=UsageReport.Status.WITHDRAWN,
        usage__correction__report__resolution=CorrectionReport.Resolution.CREDIT,
    ).count()
    return billed.fixes > reported + credited


def was_without_plan(*, usage: UsageRecord, account: BillingAccount) -> bool:
    """Whether no subscription was running at the second of a reported fix's meter event.

    A fix made between a plan's end and its webhook is metered but never invoiced. Stripe counts whole
    seconds, `start <= t < end`, so the second of the end does not belong to the plan. The mirror may lack the
    newest subscriptions: sync them from Stripe before relying on True. False if it cannot be determined, as
    for a Stripe customer that has been deleted.
    """
    meter_at = usage.report.meter_at
    if meter_at is None or usage.stripe_customer_id != account.stripe_customer_id:
        return False
    second = meter_at.replace(microsecond=0)
    mirrored = list_customer_subscriptions(usage.stripe_customer_id)
    own_end = next(
        (each.ended_at for each in mirrored if each.subscription_id == usage.subscription_id), None
    )
    if own_end is None or second < own_end:
        return False
    return not any(
        each.started_at <= second and (each.ended_at is None or second < each.ended_at) for each in mirrored
    )


def is_being_invoiced(*, customer_id: UUID, meter_at: datetime) -> bool:
    """Whether a draft invoice covers `meter_at`, so that what it charges is not final."""
    drafts = Invoice.objects.filter(has_status("draft"), customer__subscriber=customer_id)
    return any(line.covers(meter_at) for line in _list_metered_lines(drafts))


def count_credited(*, usage: UsageRecord, billed: BilledFixes) -> int:
    """Count the fixes of the same period whose price has been or is about to be credited."""
    return CorrectionReport.objects.filter(
        correction__customer=usage.customer_id,
        resolution=CorrectionReport.Resolution.CREDIT,
        amount_cents__gt=0,
        correction__usage__report__meter_at__gte=billed.start,
        correction__usage__report__meter_at__lt=billed.end,
    ).count()


def _find_span(usage: UsageRecord, meter_at: datetime, statuses: tuple[str, ...]) -> BilledFixes | None:
    rows = Invoice.objects.filter(has_status(*statuses), customer__subscriber=usage.customer_id)
    found: dict[tuple[str, datetime, datetime], int] = {}
    plans: dict[tuple[str, datetime, datetime], Plan] = {}
    prices = list_prices()
    for line in _list_metered_lines(rows):
        plan = find_plan_by_product({line.product_id})
        if line.covers(meter_at) and plan is not None:
            span = (plan.key, line.start, line.end)
            found[span] = found.get(span, 0) + line.quantity
            plans[span] = prices[line.price_id].apply_to(plan)
    # Around a plan change, several periods may hold the time: the fix's plan decides, then most fixes.
    best = max(found, key=lambda span: (span[0] == usage.plan, found[span]), default=None)
    if best is None:
        return None
    _, start, end = best
    return BilledFixes(plan=plans[best], start=start, end=end, fixes=found[best])


def _list_metered_lines(rows: QuerySet[Invoice]) -> list[InvoiceLineSnapshot]:
    metered = list_metered_prices()
    return [line for invoice in list_invoices(rows) for line in invoice.lines if line.price_id in metered]
