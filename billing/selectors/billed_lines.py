"""What a fix costs by the invoice that billed it."""

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
    list_invoices,
    list_metered_prices,
    list_prices,
    list_subscriptions_of,
)
from billing.stripe_gateway.snapshots import InvoiceLineSnapshot

OWED = ("open", "paid")
# Nobody pays those any more, so nothing of them is given back.
GIVEN_UP = ("uncollectible", "void")


@dataclass(frozen=True)
class BilledFixes:
    """The fixes that one metered price billed for `start <= t < end`, all tiers together."""

    plan: Plan
    start: datetime
    end: datetime
    fixes: int


def find_fix_price(*, correction: UsageCorrection, account: BillingAccount) -> int | None:
    """What the fix cost in its period, beside the others given back; None while that is not sure.

    Nothing, where its invoice was voided or given up. A fix of pay as you go that no invoice has yet costs
    the same whatever comes, unless no plan ran; elsewhere the invoice says how many there were. In US cents.
    """
    usage, start = correction.usage, account.current_period_start
    meter_at = usage.report.meter_at
    assert meter_at is not None, "a reported fix has its instant"
    billed = find_billed_fixes(usage=usage, meter_at=meter_at)
    if billed is None:
        if _find_span(usage, meter_at, GIVEN_UP) is not None:
            return 0
        is_current = start is not None and meter_at >= start
        if not is_current or was_without_plan(usage=usage, account=account):
            return None
        return usage.unit_price_cents if usage.plan == account.plan == PAYG.key else None
    plan = billed.plan
    if plan.key == usage.plan:
        plan = replace(plan, unit_price_cents=usage.unit_price_cents)
    return compute_marginal_cents(plan, max(0, billed.fixes - count_credited(usage=usage, billed=billed)))


def find_billed_fixes(*, usage: UsageRecord, meter_at: datetime) -> BilledFixes | None:
    """What billed a fix that was metered at an instant; None while no invoice that is owed or paid covers it.

    Of two plans that share the span, the fix's own. Reads dj-stripe's mirror.
    """
    return _find_span(usage, meter_at, OWED)


def was_billed(*, usage: UsageRecord, meter_at: datetime) -> bool:
    """Whether an invoice has charged for a fix that is off the meter now: it has more than the others.

    Fixes of one customer and span are alike: which of them it charged for makes no difference.
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
    """Whether a reported fix's own subscription had ended in the second of its meter event, and none ran.

    A plan's end is news that comes late: what was metered meanwhile is on no invoice. Stripe counts whole
    seconds, `start <= t < end`, so that the very second of the end is no longer the plan's. By the mirror,
    which lacks what is not heard of yet: believe it only once Stripe's subscriptions are read anew. False
    where nobody can know, as for a Stripe customer that was deleted since.
    """
    meter_at = usage.report.meter_at
    if meter_at is None or usage.stripe_customer_id != account.stripe_customer_id:
        return False
    second = meter_at.replace(microsecond=0)
    mirrored = list_subscriptions_of(usage.stripe_customer_id)
    own_end = next(
        (each.ended_at for each in mirrored if each.subscription_id == usage.subscription_id), None
    )
    if own_end is None or second < own_end:
        return False
    return not any(
        each.started_at <= second and (each.ended_at is None or second < each.ended_at) for each in mirrored
    )


def is_being_invoiced(*, customer_id: UUID, meter_at: datetime) -> bool:
    """Whether a draft covers an instant: what it charges is not final."""
    drafts = Invoice.objects.filter(has_status("draft"), customer__subscriber=customer_id)
    return any(line.covers(meter_at) for line in _list_metered_lines(drafts))


def count_credited(*, usage: UsageRecord, billed: BilledFixes) -> int:
    """Fixes of the same span whose price is given back already, or is about to be."""
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
    best = max(found, key=lambda span: (span[0] == usage.plan, found[span]), default=None)
    if best is None:
        return None
    _, start, end = best
    return BilledFixes(plan=plans[best], start=start, end=end, fixes=found[best])


def _list_metered_lines(rows: QuerySet[Invoice]) -> list[InvoiceLineSnapshot]:
    metered = list_metered_prices()
    return [line for invoice in list_invoices(rows) for line in invoice.lines if line.price_id in metered]
