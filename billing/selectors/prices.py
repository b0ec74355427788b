"""Find the prices that customers subscribed to, which newer price lists do not change."""

from collections.abc import Iterable

from billing.plans import Plan
from billing.stripe_gateway.mirrored import list_prices


def find_terms(plan: Plan, price_ids: Iterable[str]) -> Plan:
    """Return the plan with the prices of a subscription, instead of today's. One query, no Stripe call."""
    prices = list_prices()
    for price_id in price_ids:
        if price := prices.get(price_id):
            plan = price.apply_to(plan)
    return plan
