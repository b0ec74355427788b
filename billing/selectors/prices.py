"""What customers pay by the prices that they subscribed to, which a newer price list leaves as they are."""

from collections.abc import Iterable

from billing.plans import Plan
from billing.stripe_gateway.mirrored import list_prices


def find_terms(plan: Plan, price_ids: Iterable[str]) -> Plan:
    """The plan as a subscription with these prices was sold: a price of its own stands before today's."""
    prices = list_prices()
    for price_id in price_ids:
        if price := prices.get(price_id):
            plan = price.apply_to(plan)
    return plan
