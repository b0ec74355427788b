"""What a fix costs by the invoice that billed it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from djstripe.models import Invoice, Subscription

from billing.models import BillingAccount, CorrectionReport, UsageCorrection, UsageRecord, UsageReport
from billing.plans import PAYG, PLANS, Plan
from billing.pricing import compute_marginal_cents

from .invoices import read_price
from .prices import list_rates

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
        usage__correction__report__way=CorrectionReport.Way.CREDIT,
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
    second = int(meter_at.timestamp())
    mirrored = Subscription.objects.filter(customer_id=usage.stripe_customer_id)
    spans = {
        subscription_id: (data["start_date"], data.get("ended_at"))
        for subscription_id, data in mirrored.values_list("id", "stripe_data")
    }
    _, own_end = spans.get(usage.subscription_id, (None, None))
    if own_end is None or second < own_end:
        return False
    return not any(start <= second and (end is None or second < end) for start, end in spans.values())


def is_being_invoiced(*, customer_id: UUID, meter_at: datetime) -> bool:
    """Whether a draft covers an instant: what it charges is not final."""
    drafts = Invoice.objects.filter(customer__subscriber=customer_id, stripe_data__status="draft")
    return any(_covers(line, meter_at) for line in _list_metered_lines(drafts))


def count_credited(*, usage: UsageRecord, billed: BilledFixes) -> int:
    """Fixes of the same span whose price is given back already, or is about to be."""
    return CorrectionReport.objects.filter(
        correction__customer=usage.customer_id,
        way=CorrectionReport.Way.CREDIT,
        amount_cents__gt=0,
        correction__usage__report__meter_at__gte=billed.start,
        correction__usage__report__meter_at__lt=billed.end,
    ).count()


def _find_span(usage: UsageRecord, meter_at: datetime, statuses: tuple[str, ...]) -> BilledFixes | None:
    rows = Invoice.objects.filter(customer__subscriber=usage.customer_id, stripe_data__status__in=statuses)
    found: dict[tuple[str, int, int], int] = {}
    plans: dict[tuple[str, int, int], Plan] = {}
    rates = list_rates()
    for line in _list_metered_lines(rows):
        plan_key = str(line["pricing"]["price_details"]["product"]).removeprefix("rsolv_")
        if _covers(line, meter_at) and plan_key in PLANS:
            span = (plan_key, line["period"]["start"], line["period"]["end"])
            found[span] = found.get(span, 0) + (line.get("quantity") or 0)
            plans[span] = rates[read_price(line) or ""].apply_to(PLANS[plan_key])
    best = max(found, key=lambda span: (span[0] == usage.plan, found[span]), default=None)
    if best is None:
        return None
    _, start, end = best
    return BilledFixes(
        plan=plans[best],
        start=datetime.fromtimestamp(start, UTC),
        end=datetime.fromtimestamp(end, UTC),
        fixes=found[best],
    )


def _covers(line: dict[str, Any], instant: datetime) -> bool:
    start, end = line["period"]["start"], line["period"]["end"]
    return bool(start <= int(instant.timestamp()) < end)


def _list_metered_lines(rows: Any) -> list[dict[str, Any]]:
    rates = list_rates()
    return [
        line
        for data in rows.values_list("stripe_data", flat=True)
        for line in data.get("lines", {}).get("data", [])
        if (rate := rates.get(read_price(line) or "")) and rate.is_metered
    ]
