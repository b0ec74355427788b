"""Stripe's objects as values of ours, parsed from their JSON. Nothing outside this package reads that JSON.

A snapshot is what Stripe said when it was read. Amounts are integer cents of the object's currency, times are
aware datetimes in UTC, and a `status` is Stripe's own word.
Source: https://docs.stripe.com/api (2026-08-26.dahlia)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from billing.plans import Plan, find_plan_by_product

from .client import read_id

ENDED = ("canceled", "incomplete_expired")
# The name in Checkout's and the subscription's metadata of the person who chose the plan.
PERSON = "person"
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PriceSnapshot:
    """A price: a month's, or, metered, of each fix beyond the included ones.

    `unit_amount_cents` is None where the price does not say. Of a graduated price, the tiers that cost
    nothing are `included`, and the last tier's amount counts.
    """

    price_id: str
    is_metered: bool
    unit_amount_cents: int | None
    included: int = 0

    def apply_to(self, plan: Plan) -> Plan:
        """The plan with this instead of its own price."""
        if self.unit_amount_cents is None:
            return plan
        if self.is_metered:
            return replace(plan, unit_price_cents=self.unit_amount_cents, included=self.included)
        return replace(plan, monthly_price_cents=self.unit_amount_cents)


@dataclass(frozen=True, slots=True)
class SubscriptionSnapshot:
    """A subscription. `plan` is None where it is to no plan of ours.

    The current period begins with the metered price, where that was added after the period began: a changed
    plan counts fixes, included ones too, from then. `cancel_at` is when a running subscription is to end.
    `monthly_cents` is what it costs a month apart from its fixes. `chosen_by` is the id of the person who
    chose it on Checkout, empty where nobody did.
    """

    subscription_id: str
    stripe_customer_id: str
    status: str
    plan: Plan | None
    price_ids: tuple[str, ...]
    monthly_cents: int
    created_at: datetime
    started_at: datetime
    anchor_at: datetime
    current_period_start: datetime | None
    current_period_end: datetime | None
    cancel_at: datetime | None
    ended_at: datetime | None
    chosen_by: str

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class InvoiceLineSnapshot:
    """A line of an invoice, for `start <= t < end`. Ids are empty where the line names none.

    `is_full_period` tells a subscription's whole period from a part of one, and from what is no period.
    """

    description: str
    amount_cents: int
    quantity: int
    price_id: str
    product_id: str
    start: datetime
    end: datetime
    is_full_period: bool

    def covers(self, at: datetime) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class InvoiceSnapshot:
    """An invoice. Texts are empty where Stripe has none; a draft has no number.

    `finalized_at` is also when its payment was first tried. The balances are the customer's, before and
    after; what the customer owns is negative. `subtotal_cents` is None where Stripe did not say.
    """

    invoice_id: str
    number: str
    status: str
    is_attempted: bool
    subscription_id: str
    currency: str
    total_cents: int
    subtotal_cents: int | None
    paid_cents: int
    remaining_cents: int
    starting_balance_cents: int
    ending_balance_cents: int
    created_at: datetime
    finalized_at: datetime | None
    period_end: datetime | None
    page_url: str
    pdf_url: str
    lines: tuple[InvoiceLineSnapshot, ...]


def parse_price(data: Json) -> PriceSnapshot:
    price_id, is_metered = data.get("id") or "", _is_metered(data)
    tiers = data.get("tiers") or []
    if data.get("billing_scheme") != "tiered" or not tiers:
        return PriceSnapshot(price_id, is_metered, data.get("unit_amount"))
    free = [tier["up_to"] for tier in tiers[:-1] if not tier["unit_amount"]]
    return PriceSnapshot(price_id, is_metered, tiers[-1]["unit_amount"], included=max(free, default=0))


def parse_subscription(data: Json) -> SubscriptionSnapshot:
    """Raises KeyError where Stripe's shape is another."""
    items, status = data["items"]["data"], data["status"]
    start, end = _find_period(items)
    return SubscriptionSnapshot(
        subscription_id=data["id"],
        stripe_customer_id=read_id(data["customer"]),
        status=status,
        plan=find_plan(data),
        price_ids=tuple(item["price"]["id"] for item in items),
        monthly_cents=sum(_count_monthly_cents(item) for item in items),
        created_at=_read_time(data["created"]),
        started_at=_read_time(data["start_date"]),
        anchor_at=_read_time(data["billing_cycle_anchor"]),
        current_period_start=start,
        current_period_end=end,
        cancel_at=None if status in ENDED else _find_cancel_at(data),
        ended_at=_read_optional_time(data.get("ended_at")),
        chosen_by=str((data.get("metadata") or {}).get(PERSON) or ""),
    )


def find_plan(data: Json) -> Plan | None:
    """The plan that a subscription's items are of, at today's price or an older one; None where not ours."""
    return find_plan_by_product({read_id(item["price"]["product"]) for item in data["items"]["data"]})


def parse_invoice(data: Json, *, invoice_id: str) -> InvoiceSnapshot:
    """Raises KeyError where Stripe's shape is another."""
    finalized_at = (data.get("status_transitions") or {}).get("finalized_at")
    return InvoiceSnapshot(
        invoice_id=invoice_id,
        number=data.get("number") or "",
        status=data.get("status") or "draft",
        is_attempted=bool(data.get("attempted")),
        subscription_id=find_invoiced_subscription(data),
        currency=data.get("currency") or "usd",
        total_cents=data.get("total") or 0,
        subtotal_cents=data.get("subtotal"),
        paid_cents=data.get("amount_paid") or 0,
        remaining_cents=data.get("amount_remaining") or 0,
        starting_balance_cents=data.get("starting_balance") or 0,
        ending_balance_cents=data.get("ending_balance") or 0,
        created_at=_read_time(data["created"]),
        finalized_at=_read_optional_time(finalized_at),
        period_end=_read_optional_time(data.get("period_end")),
        page_url=data.get("hosted_invoice_url") or "",
        pdf_url=data.get("invoice_pdf") or "",
        lines=tuple(_parse_line(line) for line in (data.get("lines") or {}).get("data", [])),
    )


def find_invoiced_subscription(data: Json) -> str:
    """The id of the subscription that an invoice is of; empty where it is of none."""
    details = (data.get("parent") or {}).get("subscription_details") or {}
    subscription = details.get("subscription")
    return read_id(subscription) if subscription else ""


def _parse_line(line: Json) -> InvoiceLineSnapshot:
    priced = (line.get("pricing") or {}).get("price_details") or {}
    period = line.get("period") or {}
    details = (line.get("parent") or {}).get("subscription_item_details") or {}
    return InvoiceLineSnapshot(
        description=line.get("description") or "",
        amount_cents=line.get("amount") or 0,
        quantity=line.get("quantity") or 0,
        price_id=priced.get("price") or "",
        product_id=priced.get("product") or "",
        start=_read_time(period.get("start") or 0),
        end=_read_time(period.get("end") or 0),
        is_full_period=bool(details) and not details.get("proration"),
    )


def _find_period(items: list[Json]) -> tuple[datetime | None, datetime | None]:
    """The current period, which Stripe keeps on the items."""
    if not items:
        return None, None
    item = next((each for each in items if _is_metered(each["price"])), items[0])
    start, end = item["current_period_start"], item["current_period_end"]
    if item.get("created") and start < item["created"] < end:
        start = item["created"]
    return _read_time(start), _read_time(end)


def _find_cancel_at(data: Json) -> datetime | None:
    cancel_at = data.get("cancel_at")
    if cancel_at is None and data.get("cancel_at_period_end"):
        cancel_at = data["items"]["data"][0]["current_period_end"]
    return _read_optional_time(cancel_at)


def _count_monthly_cents(item: Json) -> int:
    if _is_metered(item["price"]):
        return 0
    return int(item["price"].get("unit_amount") or 0) * int(item.get("quantity", 1))


def _is_metered(price: Json) -> bool:
    return (price.get("recurring") or {}).get("usage_type") == "metered"


def _read_time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _read_optional_time(seconds: int | None) -> datetime | None:
    return _read_time(seconds) if seconds else None
