"""The plans and their prices. Keep this file in agreement with the price page.

Amounts are integer US cents. `included` is the number of free fixes per period, for the trial in total.
"""

from dataclasses import dataclass
from typing import Literal

PlanKey = Literal["trial", "payg", "teams"]

METER_EVENT_NAME = "fix_deployed"
CURRENCY = "usd"


@dataclass(frozen=True)
class Plan:
    """A plan's prices. `flat_price` and `fix_price` are lookup keys of Stripe prices, None without one.

    Source: https://docs.stripe.com/products-prices/manage-prices#lookup-keys
    """

    key: PlanKey
    name: str
    monthly_price_cents: int
    included: int
    unit_price_cents: int
    flat_price: str | None = None
    fix_price: str | None = None

    @property
    def product(self) -> str:
        """The id of its Stripe product, which stays the same when a price is replaced."""
        return f"rsolv_{self.key}"

    @property
    def is_metered(self) -> bool:
        return self.fix_price is not None


TRIAL = Plan(key="trial", name="Trial", monthly_price_cents=0, included=10, unit_price_cents=0)
PAYG = Plan(
    key="payg",
    name="Pay as you go",
    monthly_price_cents=0,
    included=0,
    unit_price_cents=1500,
    fix_price="payg_fix",
)
TEAMS = Plan(
    key="teams",
    name="Teams",
    monthly_price_cents=49900,
    included=60,
    unit_price_cents=800,
    flat_price="teams_month",
    fix_price="teams_fix",
)
PLANS: dict[str, Plan] = {plan.key: plan for plan in (TRIAL, PAYG, TEAMS)}


def find_plan_by_product(products: set[str]) -> Plan | None:
    """Return the plan of a subscription's Stripe product ids, at any price, or None for other products."""
    return next((plan for plan in PLANS.values() if plan.is_metered and plan.product in products), None)
