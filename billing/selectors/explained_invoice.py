"""Each line of an invoice, and the fixes of the ledger behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q
from djstripe.models import Invoice

from billing.models import PaymentIncident, UsageReport
from billing.plans import PLANS, Plan
from billing.pricing import price_each
from core.errors import NotFound
from customers.models import Customer

from .fixes import FixOfLine, describe_fixes
from .invoices import InvoiceLine, list_incidents, read_invoice, read_price
from .prices import Rate, list_rates

EVIDENCE_SHOWN = 100


@dataclass(frozen=True)
class ExplainedLine:
    """A line as Stripe has it, and what our ledger makes of it. Amounts are in cents of its currency.

    `fixes` are those that the line bills, and those that staff voided before. `computed_cents` is what
    billing/pricing.py makes of them; None where a line is of no fixes and its price is not ours to compute.
    """

    description: str
    amount_cents: int
    quantity: int
    start: datetime
    end: datetime
    is_of_fixes: bool
    fixes: tuple[FixOfLine, ...]
    computed_cents: int | None

    @property
    def counted(self) -> int:
        return sum(fix.counts for fix in self.fixes)

    @property
    def agrees(self) -> bool:
        """To the cent; where the line is of fixes, in their number too."""
        if self.computed_cents is None:
            return True
        return self.computed_cents == self.amount_cents and (
            not self.is_of_fixes or self.counted == self.quantity
        )


@dataclass(frozen=True)
class ExplainedInvoice:
    """An invoice opened up. `credits` are corrections of its fixes that were credited to the balance.

    `from_balance_cents` is what the customer's balance paid of it, or negative what was added to it.
    `rest_cents` is what lies between the lines and the total: taxes and discounts.
    """

    invoice: InvoiceLine
    lines: tuple[ExplainedLine, ...]
    credits: tuple[FixOfLine, ...]
    incidents: tuple[PaymentIncident, ...]
    lines_cents: int
    rest_cents: int
    from_balance_cents: int
    is_complete: bool

    @property
    def from_balance_shown_cents(self) -> int:
        """As it stands in the sum: what the balance paid is taken off."""
        return -self.from_balance_cents

    @property
    def is_final(self) -> bool:
        return self.invoice.status != "draft"

    @property
    def is_all_ours(self) -> bool:
        """Whether each line's amount is one that we compute too."""
        return all(line.computed_cents is not None for line in self.lines)

    @property
    def agrees(self) -> bool:
        """Whether every line is what our own ledger and prices make of it, and the lines make the invoice."""
        return self.is_complete and all(line.agrees for line in self.lines)


@dataclass(frozen=True)
class _Span:
    """Lines of one metered price and period: a graduated price has one for each tier."""

    price: str
    start: int
    end: int

    def holds(self, report: UsageReport) -> bool:
        return report.meter_at is not None and self.start <= int(report.meter_at.timestamp()) < self.end


def explain_invoice(*, customer: Customer, invoice_id: str) -> ExplainedInvoice:
    """Open up one of the customer's invoices, by its number or its id. Raises NotFound.

    Evidence is read for the first hundred fixes. The number of queries does not depend on what is found.
    """
    if "\0" in invoice_id:
        raise NotFound  # the database takes no such text
    reference = Q(id=invoice_id) | Q(stripe_data__number=invoice_id)
    row = Invoice.objects.filter(reference, customer__subscriber=customer).order_by("-created").first()
    if row is None:
        raise NotFound
    data, rates = row.stripe_data, list_rates()
    metered = {price_id for price_id, rate in rates.items() if rate.is_metered}
    given = data.get("lines", {}).get("data", [])
    spans = sorted({_read_span(line) for line in given if read_price(line) in metered}, key=lambda s: s.start)
    reports = _list_reports(customer, spans)
    fixes = describe_fixes([report.usage for report in reports], evidence_for=EVIDENCE_SHOWN)
    lines = tuple(_explain_lines(given, rates, spans, reports, fixes))
    incidents = list_incidents(customer=customer, invoice_ids=[row.id])
    lines_cents = sum(line.amount_cents for line in lines)
    subtotal = data.get("subtotal")
    return ExplainedInvoice(
        invoice=read_invoice(row, metered, incidents),
        lines=lines,
        credits=tuple(fix for line in lines for fix in line.fixes if fix.credited_cents),
        incidents=tuple(incidents),
        lines_cents=lines_cents,
        rest_cents=(data.get("total") or 0) - lines_cents,
        from_balance_cents=(data.get("ending_balance") or 0) - (data.get("starting_balance") or 0),
        is_complete=subtotal is None or lines_cents == subtotal,
    )


def _list_reports(customer: Customer, spans: Sequence[_Span]) -> list[UsageReport]:
    """Reports whose meter events lie in one of the spans, in the order in which Stripe counts them."""
    within = Q(pk=None)
    for span in spans:
        start, end = datetime.fromtimestamp(span.start, UTC), datetime.fromtimestamp(span.end, UTC)
        within |= Q(meter_at__gte=start, meter_at__lt=end)
    counted = (UsageReport.Status.REPORTED, UsageReport.Status.WITHDRAWN)
    return list(
        UsageReport.objects.filter(within, customer=customer, status__in=counted)
        .select_related(
            "usage__execution",
            "usage__repository__forge_account",
            "usage__correction__report",
        )
        .defer("usage__execution__data")
        .order_by("meter_at", "usage__occurred_at", "pk")
    )


def _explain_lines(
    given: list[dict[str, Any]],
    rates: dict[str, Rate],
    spans: Sequence[_Span],
    reports: list[UsageReport],
    fixes: list[FixOfLine],
) -> list[ExplainedLine]:
    """Deal out each span's fixes, in their order, to its lines by their quantities."""
    left = {
        span: [fix for report, fix in zip(reports, fixes, strict=True) if span.holds(report)]
        for span in spans
    }
    last = {_read_span(line): index for index, line in enumerate(given)}
    priced = {span: _price_fixes(of_span, _find_terms(given, span, rates)) for span, of_span in left.items()}
    lines = []
    for index, line in enumerate(given):
        span = _read_span(line)
        if span not in left:
            lines.append(_make_line(line, (), _compute_flat(line, rates)))
            continue
        mine = priced[span]
        taken = len(mine) if last[span] == index else _count_to_take(mine, line.get("quantity") or 0)
        priced[span] = mine[taken:]
        computed = sum(fix.cost_cents for fix in mine[:taken])
        lines.append(_make_line(line, tuple(mine[:taken]), computed, is_of_fixes=True))
    return lines


def _price_fixes(fixes: list[FixOfLine], plan: Plan | None) -> list[FixOfLine]:
    """Each fix with what it costs: a withdrawn one nothing, one beyond the included ones its price.

    The ledger's own price where the fix was made on the plan that bills it.
    """
    if plan is None:
        return fixes
    unit_prices = [
        fix.unit_price_cents if fix.plan == plan.key else plan.unit_price_cents for fix in fixes if fix.counts
    ]
    costs = iter(price_each(plan.included, unit_prices))
    return [fix.with_cost(next(costs)) if fix.counts else fix for fix in fixes]


def _count_to_take(fixes: list[FixOfLine], quantity: int) -> int:
    """How far to go in the list until so many fixes that count are passed."""
    passed = 0
    for index, fix in enumerate(fixes):
        if passed == quantity:
            return index
        passed += fix.counts
    return len(fixes)


def _read_span(line: dict[str, Any]) -> _Span:
    period = line.get("period") or {}
    return _Span(read_price(line) or "", period.get("start") or 0, period.get("end") or 0)


def _find_terms(given: list[dict[str, Any]], span: _Span, rates: dict[str, Rate]) -> Plan | None:
    line = next(line for line in given if _read_span(line) == span)
    return _find_terms_of(line, rates)


def _find_terms_of(line: dict[str, Any], rates: dict[str, Rate]) -> Plan | None:
    """The plan of a line, by its product, at the line's own price, which a newer one leaves as it is."""
    product = ((line.get("pricing") or {}).get("price_details") or {}).get("product") or ""
    plan, rate = PLANS.get(product.removeprefix("rsolv_")), rates.get(read_price(line) or "")
    return plan if plan is None or rate is None else rate.apply_to(plan)


def _compute_flat(line: dict[str, Any], rates: dict[str, Rate]) -> int | None:
    """A whole month's price; None for a part of one, which Stripe computes by the second."""
    plan = _find_terms_of(line, rates)
    details = (line.get("parent") or {}).get("subscription_item_details") or {}
    if plan is None or details.get("proration") or not details:
        return None
    return plan.monthly_price_cents * (line.get("quantity") or 0)


def _make_line(
    line: dict[str, Any], fixes: tuple[FixOfLine, ...], computed: int | None, *, is_of_fixes: bool = False
) -> ExplainedLine:
    span = _read_span(line)
    return ExplainedLine(
        description=line.get("description") or "",
        amount_cents=line.get("amount") or 0,
        quantity=line.get("quantity") or 0,
        start=datetime.fromtimestamp(span.start, UTC),
        end=datetime.fromtimestamp(span.end, UTC),
        is_of_fixes=is_of_fixes,
        fixes=fixes,
        computed_cents=computed,
    )
