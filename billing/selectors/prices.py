"""What customers pay by the prices that they subscribed to, which a newer price list leaves as they are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from djstripe.models import Price

from billing.plans import Plan


@dataclass(frozen=True)
class Rate:
    """A price at Stripe, in US cents: a month's, or, metered, of each fix beyond the included ones.

    `cents` is None where the price does not tell.
    """

    is_metered: bool
    cents: int | None
    included: int = 0

    def apply_to(self, plan: Plan) -> Plan:
        """The plan with this instead of its own price."""
        if self.cents is None:
            return plan
        if self.is_metered:
            return replace(plan, unit_price_cents=self.cents, included=self.included)
        return replace(plan, monthly_price_cents=self.cents)


def list_rates() -> dict[str, Rate]:
    """Every price by its id: ours and their predecessors, a handful. Reads dj-stripe's mirror."""
    return {row.id: _read_rate(row.stripe_data) for row in Price.objects.only("id", "stripe_data")}


def find_terms(plan: Plan, subscription: Mapping[str, Any]) -> Plan:
    """The plan as a subscription to it was sold: a price of its own stands before today's."""
    rates = list_rates()
    for item in subscription["items"]["data"]:
        if rate := rates.get(item["price"]["id"]):
            plan = rate.apply_to(plan)
    return plan


def _read_rate(price: dict[str, Any]) -> Rate:
    """A graduated price has the included fixes in tiers that cost nothing, and the others' price last."""
    is_metered = (price.get("recurring") or {}).get("usage_type") == "metered"
    tiers = price.get("tiers") or []
    if price.get("billing_scheme") != "tiered" or not tiers:
        return Rate(is_metered, price.get("unit_amount"))
    free = [tier["up_to"] for tier in tiers[:-1] if not tier["unit_amount"]]
    return Rate(is_metered, tiers[-1]["unit_amount"], included=max(free, default=0))
