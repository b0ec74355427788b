"""What a fix costs by the invoice that billed it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from djstripe.models import Invoice

from billing.models import CorrectionReport, UsageRecord
from billing.plans import PLANS, Plan

from .invoices import list_metered_prices, read_price

FINAL = ("open", "paid", "uncollectible")


@dataclass(frozen=True)
class BilledFixes:
    """The fixes that one metered price billed for `start <= t < end`, all tiers together."""

    plan: Plan
    start: datetime
    end: datetime
    fixes: int


def find_billed_fixes(*, usage: UsageRecord, meter_at: datetime) -> BilledFixes | None:
    """What billed a fix that was metered at an instant; None while no final invoice covers it.

    Of two plans that share the span, the fix's own. Reads dj-stripe's mirror.
    """
    since = int(meter_at.timestamp())
    rows = Invoice.objects.filter(customer__subscriber=usage.customer_id, stripe_data__status__in=FINAL)
    found: dict[tuple[str, int, int], int] = {}
    for line in _list_metered_lines(rows):
        start, end = line["period"]["start"], line["period"]["end"]
        plan_key = str(line["pricing"]["price_details"]["product"]).removeprefix("rsolv_")
        if start <= since < end and plan_key in PLANS:
            span = (plan_key, start, end)
            found[span] = found.get(span, 0) + (line.get("quantity") or 0)
    best = max(found, key=lambda span: (span[0] == usage.plan, found[span]), default=None)
    if best is None:
        return None
    plan_key, start, end = best
    return BilledFixes(
        plan=PLANS[plan_key],
        start=datetime.fromtimestamp(start, UTC),
        end=datetime.fromtimestamp(end, UTC),
        fixes=found[best],
    )


def count_credited(*, usage: UsageRecord, billed: BilledFixes) -> int:
    """Fixes of the same span whose price is given back already, or is about to be."""
    return CorrectionReport.objects.filter(
        correction__customer=usage.customer_id,
        way=CorrectionReport.Way.CREDIT,
        amount_cents__gt=0,
        correction__usage__report__meter_at__gte=billed.start,
        correction__usage__report__meter_at__lt=billed.end,
    ).count()


def _list_metered_lines(rows: Any) -> list[dict[str, Any]]:
    metered = list_metered_prices()
    return [
        line
        for data in rows.values_list("stripe_data", flat=True)
        for line in data.get("lines", {}).get("data", [])
        if read_price(line) in metered
    ]
