"""Explain an invoice: each line with the ledger's fixes that it bills."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from djstripe.models import Invoice

from billing.models import PaymentIncident, UsageReport
from billing.plans import Plan, find_plan_by_product
from billing.pricing import price_each
from billing.stripe_gateway.mirrored import has_number, list_invoices, list_prices
from billing.stripe_gateway.snapshots import InvoiceLineSnapshot, PriceSnapshot
from core.errors import NotFound
from customers.models import Customer

from .fixes import InvoicedFix, describe_fixes
from .invoices import InvoiceLine, describe_invoice, list_incidents

EVIDENCE_SHOWN = 100
Prices = Mapping[str, PriceSnapshot]


@dataclass(frozen=True)
class ExplainedLine:
    """A line from Stripe and our computation of it. Amounts are in cents of the invoice's currency.

    `fixes` are those that the line bills, and those that staff voided before it did. `computed_cents` is
    their cost by billing/pricing.py, or None for a line without fixes whose price only Stripe computes.
    """

    description: str
    amount_cents: int
    quantity: int
    start: datetime
    end: datetime
    is_of_fixes: bool
    fixes: tuple[InvoicedFix, ...]
    computed_cents: int | None

    @property
    def counted(self) -> int:
        return sum(fix.counts for fix in self.fixes)

    @property
    def agrees(self) -> bool:
        """Whether the amounts are equal and, for a line of fixes, the quantities too."""
        if self.computed_cents is None:
            return True
        return self.computed_cents == self.amount_cents and (
            not self.is_of_fixes or self.counted == self.quantity
        )


@dataclass(frozen=True)
class ExplainedInvoice:
    """An invoice with its explained lines. `credits` are its fixes that were credited to the balance.

    `from_balance_cents` is what the customer's balance paid, negative if the invoice added to the balance.
    `rest_cents` is the difference between the lines and the total: taxes and discounts. `is_complete` is
    whether the lines add up to Stripe's subtotal.
    """

    invoice: InvoiceLine
    lines: tuple[ExplainedLine, ...]
    credits: tuple[InvoicedFix, ...]
    incidents: tuple[PaymentIncident, ...]
    lines_cents: int
    rest_cents: int
    from_balance_cents: int
    is_complete: bool

    @property
    def from_balance_shown_cents(self) -> int:
        """The signed amount as displayed in the sum: what the balance paid is negative."""
        return -self.from_balance_cents

    @property
    def is_final(self) -> bool:
        return self.invoice.status != "draft"

    @property
    def is_all_ours(self) -> bool:
        """Whether we compute the amount of every line."""
        return all(line.computed_cents is not None for line in self.lines)

    @property
    def agrees(self) -> bool:
        """Whether every line agrees with our ledger and prices, and the lines add up to the invoice."""
        return self.is_complete and all(line.agrees for line in self.lines)


@dataclass(frozen=True)
class _Span:
    """The key of the lines of one metered price and period: a graduated price has one line per tier."""

    price: str
    start: datetime
    end: datetime

    def holds(self, report: UsageReport) -> bool:
        return report.meter_at is not None and self.start <= report.meter_at < self.end


def explain_invoice(*, customer: Customer, invoice_id: str) -> ExplainedInvoice:
    """Return one of the customer's invoices, by number or Stripe id, with its fixes. Raises NotFound.

    Evidence is read for the first 100 fixes. The number of queries is constant. Makes no Stripe call.
    """
    if "\0" in invoice_id:
        raise NotFound  # PostgreSQL rejects NUL in text
    # A draft has no number yet, so its address has Stripe's id.
    reference = Q(id=invoice_id) | has_number(invoice_id)
    rows = Invoice.objects.filter(reference, customer__subscriber=customer).order_by("-created")
    found = next(iter(list_invoices(rows[:1])), None)
    if found is None:
        raise NotFound
    prices = list_prices()
    metered = {price_id for price_id, price in prices.items() if price.is_metered}
    spans = sorted(
        {_read_span(line) for line in found.lines if line.price_id in metered}, key=lambda s: s.start
    )
    reports = _list_reports(customer, spans)
    fixes = describe_fixes([report.usage for report in reports], evidence_for=EVIDENCE_SHOWN)
    lines = tuple(_explain_lines(found.lines, prices, spans, reports, fixes))
    incidents = list_incidents(customer=customer, invoice_ids=[found.invoice_id])
    lines_cents = sum(line.amount_cents for line in lines)
    return ExplainedInvoice(
        invoice=describe_invoice(found, metered, incidents),
        lines=lines,
        credits=tuple(fix for line in lines for fix in line.fixes if fix.credited_cents),
        incidents=tuple(incidents),
        lines_cents=lines_cents,
        rest_cents=found.total_cents - lines_cents,
        from_balance_cents=found.ending_balance_cents - found.starting_balance_cents,
        is_complete=found.subtotal_cents is None or lines_cents == found.subtotal_cents,
    )


def _list_reports(customer: Customer, spans: Sequence[_Span]) -> list[UsageReport]:
    """List the reports whose meter events lie in one of the spans, in Stripe's counting order."""
    # Matches no row, so that an invoice without metered lines lists no reports.
    within = Q(pk=None)
    for span in spans:
        within |= Q(meter_at__gte=span.start, meter_at__lt=span.end)
    counted = (UsageReport.Status.REPORTED, UsageReport.Status.WITHDRAWN)
    return list(
        UsageReport.objects.filter(within, customer=customer, status__in=counted)
        .select_related(
            "usage__execution",
            "usage__repository__forge_account",
            "usage__correction__report",
        )
        # `describe_fixes` reads results itself, only as many and as long as it shows.
        .defer("usage__execution__data")
        .order_by("meter_at", "usage__occurred_at", "pk")
    )


def _explain_lines(
    given: Sequence[InvoiceLineSnapshot],
    prices: Prices,
    spans: Sequence[_Span],
    reports: list[UsageReport],
    fixes: list[InvoicedFix],
) -> list[ExplainedLine]:
    """Assign each span's fixes to its lines, in order and by quantity. The last line takes the remainder."""
    left = {
        span: [fix for report, fix in zip(reports, fixes, strict=True) if span.holds(report)]
        for span in spans
    }
    last = {_read_span(line): index for index, line in enumerate(given)}
    priced = {span: _price_fixes(of_span, _find_terms(given, span, prices)) for span, of_span in left.items()}
    lines = []
    for index, line in enumerate(given):
        span = _read_span(line)
        if span not in left:
            lines.append(_make_line(line, (), _compute_flat(line, prices)))
            continue
        mine = priced[span]
        taken = len(mine) if last[span] == index else _count_to_take(mine, line.quantity)
        priced[span] = mine[taken:]
        computed = sum(fix.cost_cents for fix in mine[:taken])
        lines.append(_make_line(line, tuple(mine[:taken]), computed, is_of_fixes=True))
    return lines


def _price_fixes(fixes: list[InvoicedFix], plan: Plan | None) -> list[InvoicedFix]:
    """Return the fixes with their costs: withdrawn and included ones are free, others cost the unit price.

    The unit price is the ledger's if the fix was made on the plan that bills it, otherwise the plan's.
    """
    if plan is None:
        return fixes
    unit_prices = [
        fix.unit_price_cents if fix.plan == plan.key else plan.unit_price_cents for fix in fixes if fix.counts
    ]
    costs = iter(price_each(plan.included, unit_prices))
    return [fix.with_cost(next(costs)) if fix.counts else fix for fix in fixes]


def _count_to_take(fixes: list[InvoicedFix], quantity: int) -> int:
    """Return the length of the list's prefix that contains `quantity` counted fixes."""
    passed = 0
    for index, fix in enumerate(fixes):
        if passed == quantity:
            return index
        passed += fix.counts
    return len(fixes)


def _read_span(line: InvoiceLineSnapshot) -> _Span:
    return _Span(line.price_id, line.start, line.end)


def _find_terms(given: Sequence[InvoiceLineSnapshot], span: _Span, prices: Prices) -> Plan | None:
    line = next(line for line in given if _read_span(line) == span)
    return _find_terms_of(line, prices)


def _find_terms_of(line: InvoiceLineSnapshot, prices: Prices) -> Plan | None:
    """Return the plan of a line's product with the line's price, which may be a former one."""
    plan, price = find_plan_by_product({line.product_id}), prices.get(line.price_id)
    return plan if plan is None or price is None else price.apply_to(plan)


def _compute_flat(line: InvoiceLineSnapshot, prices: Prices) -> int | None:
    """Return the price of a full month, or None for a part of one, which Stripe prorates by the second."""
    plan = _find_terms_of(line, prices)
    if plan is None or not line.is_full_period:
        return None
    return plan.monthly_price_cents * line.quantity


def _make_line(
    line: InvoiceLineSnapshot,
    fixes: tuple[InvoicedFix, ...],
    computed: int | None,
    *,
    is_of_fixes: bool = False,
) -> ExplainedLine:
    return ExplainedLine(
        description=line.description,
        amount_cents=line.amount_cents,
        quantity=line.quantity,
        start=line.start,
        end=line.end,
        is_of_fixes=is_of_fixes,
        fixes=fixes,
        computed_cents=computed,
    )
