"""Find what a fix costs on the invoice that billed it, from dj-stripe's mirror."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from djstripe.models import Invoice

from billing.models import (
    BillingAccount,
    CorrectionReport,
    PaymentIncident,
    UsageCorrection,
    UsageRecord,
    UsageReport,
)
from billing.plans import PAYG, Plan, find_plan_by_product
from billing.pricing import compute_held_cents, compute_marginal_cents
from billing.selectors.invoices import is_disputed, is_refunded
from billing.stripe_gateway.mirrored import (
    has_status,
    list_customer_subscriptions,
    list_invoices,
    list_metered_prices,
    list_prices,
)
from billing.stripe_gateway.snapshots import InvoiceLineSnapshot, InvoiceSnapshot

OWED = ("open", "paid")
# Not paid and no longer due, so there is nothing to credit.
UNCOLLECTED = ("uncollectible", "void")

BilledLine = tuple[InvoiceSnapshot, InvoiceLineSnapshot]


@dataclass(frozen=True)
class BilledFixes:
    """The fixes that one metered price billed for `start <= t < end`, all tiers together.

    `plan` has the price of the invoice, which may be a former one. `held_cents` is what the lines cost, less
    their share of what the customer got back of the invoices: refunds and disputes, as last recorded. With
    `awaits_dispute`, a dispute is not decided yet.
    """

    plan: Plan
    start: datetime
    end: datetime
    fixes: int
    invoice_ids: tuple[str, ...]
    held_cents: int
    awaits_dispute: bool


def find_fix_price(*, correction: UsageCorrection, account: BillingAccount) -> int | None:
    """Return what to credit for a fix, in US cents, or None while that is uncertain.

    The price is that of the period's last fix which is not credited yet, and at most what the invoice still
    holds, so that credits and refunds together never exceed what was charged. It is zero if the invoice was
    voided or written off. Without an invoice, the price is certain only on pay as you go, whose fixes all
    cost the same; on other plans it depends on the period's final count.
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
        if not is_current or was_free(usage=usage, account=account):
            return None
        return usage.unit_price_cents if usage.plan == account.plan == PAYG.key else None
    plan = billed.plan
    if plan.key == usage.plan:
        plan = replace(plan, unit_price_cents=usage.unit_price_cents)
    credits_cents = _list_credits_cents(usage=usage, billed=billed)
    price_cents = compute_marginal_cents(plan, max(0, billed.fixes - len(credits_cents)))
    return min(price_cents, max(0, billed.held_cents - sum(credits_cents)))


def awaits_dispute(*, usage: UsageRecord) -> bool:
    """Whether a dispute of the invoice that billed a fix is open, so that it is uncertain what we keep."""
    meter_at = usage.report.meter_at
    billed = find_billed_fixes(usage=usage, meter_at=meter_at) if meter_at else None
    return billed is not None and billed.awaits_dispute


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


def was_free(*, usage: UsageRecord, account: BillingAccount) -> bool:
    """Whether no subscription charged for the second of a reported fix's meter event.

    A fix made between a plan's end and its webhook is metered but never invoiced, and Stripe bills usage in a
    subscription's free trial at 0. Stripe counts whole seconds, `start <= t < end`, so the second of the end
    does not belong to the plan. The mirror may lack the newest subscriptions: sync them from Stripe before
    relying on True. False if it cannot be determined, as for a Stripe customer that has been deleted.
    """
    meter_at = usage.report.meter_at
    if meter_at is None or usage.stripe_customer_id != account.stripe_customer_id:
        return False
    second = meter_at.replace(microsecond=0)
    mirrored = list_customer_subscriptions(usage.stripe_customer_id)
    own = next((each for each in mirrored if each.subscription_id == usage.subscription_id), None)
    if own is None:
        return False
    has_ended = own.ended_at is not None and own.ended_at <= second
    if not has_ended and not own.is_trial_at(second):
        return False
    return not any(each.charges_at(second) for each in mirrored)


def is_being_invoiced(*, customer_id: UUID, meter_at: datetime) -> bool:
    """Whether a draft invoice covers `meter_at`, so that what it charges is not final."""
    drafts = Invoice.objects.filter(has_status("draft"), customer__subscriber=customer_id)
    return any(line.covers(meter_at) for _, line in _list_metered_lines(drafts))


def _list_credits_cents(*, usage: UsageRecord, billed: BilledFixes) -> list[int]:
    """List what has been or is about to be credited for fixes of the same period, in US cents each."""
    credited = CorrectionReport.objects.filter(
        correction__customer=usage.customer_id,
        resolution=CorrectionReport.Resolution.CREDIT,
        amount_cents__gt=0,
        correction__usage__report__meter_at__gte=billed.start,
        correction__usage__report__meter_at__lt=billed.end,
    )
    return list(credited.values_list("amount_cents", flat=True))


def _find_span(usage: UsageRecord, meter_at: datetime, statuses: tuple[str, ...]) -> BilledFixes | None:
    rows = Invoice.objects.filter(has_status(*statuses), customer__subscriber=usage.customer_id)
    found: dict[tuple[str, datetime, datetime], list[BilledLine]] = defaultdict(list)
    for invoice, line in _list_metered_lines(rows):
        plan = find_plan_by_product({line.product_id})
        if line.covers(meter_at) and plan is not None:
            found[plan.key, line.start, line.end].append((invoice, line))

    # Around a plan change, several periods may hold the time: the fix's plan decides, then most fixes.
    def rank(span: tuple[str, datetime, datetime]) -> tuple[bool, int]:
        return span[0] == usage.plan, sum(line.quantity for _, line in found[span])

    best = max(found, key=rank, default=None)
    return None if best is None else _describe(found[best], customer_id=usage.customer_id)


def _describe(lines: Sequence[BilledLine], *, customer_id: UUID) -> BilledFixes:
    """Describe the lines of one plan and period."""
    _, last = lines[-1]
    plan = find_plan_by_product({last.product_id})
    assert plan is not None, "checked by the caller"
    invoice_ids = {invoice.invoice_id for invoice, _ in lines}
    incidents = list(PaymentIncident.objects.filter(customer=customer_id, invoice__in=invoice_ids))
    returned_cents: dict[str, int] = defaultdict(int)
    for each in incidents:
        if is_refunded(each) or is_disputed(each):
            returned_cents[each.invoice] += each.amount_cents
    held_cents = sum(
        compute_held_cents(
            line.amount_cents,
            subtotal_cents=invoice.subtotal_cents or 0,
            total_cents=invoice.total_cents,
            returned_cents=returned_cents[invoice.invoice_id],
        )
        for invoice, line in lines
    )
    return BilledFixes(
        plan=list_prices()[last.price_id].apply_to(plan),
        start=last.start,
        end=last.end,
        fixes=sum(line.quantity for _, line in lines),
        invoice_ids=tuple(sorted(invoice_ids)),
        held_cents=held_cents,
        awaits_dispute=any(is_disputed(each) and each.status != "lost" for each in incidents),
    )


def _list_metered_lines(rows: QuerySet[Invoice]) -> list[BilledLine]:
    metered = list_metered_prices()
    return [
        (invoice, line)
        for invoice in list_invoices(rows)
        for line in invoice.lines
        if line.price_id in metered
    ]
