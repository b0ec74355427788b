"""Dataclasses of Stripe's objects, parsed from its JSON. No other package reads that JSON.

A snapshot holds the state when it was read. Amounts are integer cents of the object's currency, times are
aware datetimes in UTC, and `status` is Stripe's value.
Source: https://docs.stripe.com/api (2026-08-26.dahlia)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from billing.plans import Plan, find_plan_by_product
from billing.pricing import compute_monthly_cents

from .client import read_id

ENDED = ("canceled", "incomplete_expired")
# The metadata key, in Checkout sessions and subscriptions, of the person who chose the plan.
PERSON = "person"
# How long after its period an item that begins with it may be created. Stripe often takes a second.
CREATION_SECONDS = 10
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PriceSnapshot:
    """A price: flat per month or, if metered, per fix beyond the included ones.

    `unit_amount_cents` is None if the price has no unit amount. For a graduated price, `included` is the size
    of the free tiers, and the amount is that of the last tier.
    """

    price_id: str
    is_metered: bool
    unit_amount_cents: int | None
    included: int = 0

    def apply_to(self, plan: Plan) -> Plan:
        """Return the plan with its monthly or unit price replaced by this one."""
        if self.unit_amount_cents is None:
            return plan
        if self.is_metered:
            return replace(plan, unit_price_cents=self.unit_amount_cents, included=self.included)
        return replace(plan, monthly_price_cents=self.unit_amount_cents)


@dataclass(frozen=True, slots=True)
class SubscriptionSnapshot:
    """A subscription. `plan` is None for other products.

    If the metered price was added within the period, the current period starts when it was added: a changed
    plan counts its fixes, and its included ones, from then on. Usage of `trial_start_at <= t < trial_end_at`
    is free. `cancel_at` is when a running subscription is scheduled to end. `monthly_cents` is its price for
    a month without fixes, whatever its interval. `chosen_by` is the id of the user who chose it on Checkout,
    or empty.
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
    trial_start_at: datetime | None = None
    trial_end_at: datetime | None = None

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED

    def is_trial_at(self, at: datetime) -> bool:
        """Whether `at` is in the free trial, in which Stripe bills usage at 0."""
        if self.trial_start_at is None or self.trial_end_at is None:
            return False
        return self.trial_start_at <= at < self.trial_end_at

    def charges_at(self, at: datetime) -> bool:
        """Whether usage at `at` is charged: the subscription is running, and not in its free trial."""
        is_running = self.started_at <= at and (self.ended_at is None or at < self.ended_at)
        return is_running and not self.is_trial_at(at)


@dataclass(frozen=True, slots=True)
class InvoiceLineSnapshot:
    """An invoice line for `start <= t < end`. Ids are empty if the line has none.

    `is_full_period` is true for a subscription's whole period, false for prorations and one-off items.
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
    """An invoice. Texts are empty if Stripe has none; a draft has no number.

    Stripe first attempts the payment at `finalized_at`. The balances are the customer's before and after; a
    negative balance is a credit in the customer's favor. `subtotal_cents` is None if Stripe sent none.
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
    """Parse a price, flat or tiered."""
    price_id, is_metered = data.get("id") or "", _is_metered(data)
    tiers = data.get("tiers") or []
    if data.get("billing_scheme") != "tiered" or not tiers:
        return PriceSnapshot(price_id, is_metered, data.get("unit_amount"))
    free = [tier["up_to"] for tier in tiers[:-1] if not tier["unit_amount"]]
    return PriceSnapshot(price_id, is_metered, tiers[-1]["unit_amount"], included=max(free, default=0))


def parse_subscription(data: Json) -> SubscriptionSnapshot:
    """Parse a subscription. Raises KeyError if a required field is missing."""
    items, status = data["items"]["data"], data["status"]
    start, end = _find_period(data)
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
        trial_start_at=_read_optional_time(data.get("trial_start")),
        trial_end_at=_read_optional_time(data.get("trial_end")),
    )


def find_plan(data: Json) -> Plan | None:
    """Return the plan of a subscription's items, at any of its prices, or None for other products."""
    return find_plan_by_product({read_id(item["price"]["product"]) for item in data["items"]["data"]})


def parse_invoice(data: Json, *, invoice_id: str) -> InvoiceSnapshot:
    """Parse an invoice. Raises KeyError if a required field is missing."""
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
    """Return the id of the subscription that an invoice belongs to, or an empty string."""
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


def _find_period(data: Json) -> tuple[datetime | None, datetime | None]:
    """Return the current period, which Stripe stores on the items, from the metered item if there is one."""
    items = data["items"]["data"]
    if not items:
        return None, None
    item = next((each for each in items if _is_metered(each["price"])), items[0])
    # An item that was added mid-period has the period's start, but its meter counts only from its creation.
    start = item["created"] if _is_added_within_period(item, data) else item["current_period_start"]
    return _read_time(start), _read_time(item["current_period_end"])


def _is_added_within_period(item: Json, data: Json) -> bool:
    """Whether a change of plan added the item to a running period.

    New items also come with a period that the subscription or a change of plan with a new anchor begins, a
    moment after its start. A renewal creates none, so an item that is created right after one was added.
    """
    start = item["current_period_start"]
    comes_with_items = start in (data["start_date"], data["billing_cycle_anchor"])
    allowed = CREATION_SECONDS if comes_with_items else 0
    return bool(start + allowed < (item.get("created") or 0) < item["current_period_end"])


def _find_cancel_at(data: Json) -> datetime | None:
    cancel_at = data.get("cancel_at")
    if cancel_at is None and data.get("cancel_at_period_end"):
        cancel_at = data["items"]["data"][0]["current_period_end"]
    return _read_optional_time(cancel_at)


def _count_monthly_cents(item: Json) -> int:
    price = item["price"]
    if _is_metered(price):
        return 0
    cents = int(price.get("unit_amount") or 0) * int(item.get("quantity", 1))
    recurring = price["recurring"]
    return compute_monthly_cents(
        cents, interval=recurring["interval"], interval_count=recurring["interval_count"]
    )


def _is_metered(price: Json) -> bool:
    return (price.get("recurring") or {}).get("usage_type") == "metered"


def _read_time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _read_optional_time(seconds: int | None) -> datetime | None:
    return _read_time(seconds) if seconds else None
