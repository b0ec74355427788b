"""What customers pay by the prices that they subscribed to, which a newer price list leaves as they are."""

from collections.abc import Iterable

from billing import stripe_gateway
from billing.plans import Plan


def find_terms(plan: Plan, price_ids: Iterable[str]) -> Plan:
    """The plan as a subscription with these prices was sold: a price of its own stands before today's."""
    prices = stripe_gateway.list_prices()
    for price_id in price_ids:
        if price := prices.get(price_id):
            plan = price.apply_to(plan)
    return plan
