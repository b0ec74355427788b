"""What a fix costs by the price that a customer subscribed to."""

from typing import Any

from djstripe.models import Price, Subscription

from billing.models import BillingAccount
from billing.plans import PLANS


def find_unit_price(account: BillingAccount) -> int:
    """Cents for a fix beyond the included ones: by the subscription's own price, if a newer one came since.

    The plan's, where the subscription is not mirrored yet or does not tell.
    """
    row = Subscription.objects.filter(id=account.subscription_id).first() if account.subscription_id else None
    items = row.stripe_data["items"]["data"] if row else []
    found = next((price for price in (item["price"] for item in items) if _is_metered(price)), None)
    cents = None if found is None else _read_cents(found)
    return PLANS[account.plan].unit_price_cents if cents is None else cents


def _is_metered(price: dict[str, Any]) -> bool:
    return (price.get("recurring") or {}).get("usage_type") == "metered"


def _read_cents(price: dict[str, Any]) -> int | None:
    """A subscription's price comes without its tiers: those are on the mirrored price."""
    if price.get("billing_scheme") != "tiered":
        return price.get("unit_amount")
    mirrored = Price.objects.filter(id=price["id"]).first()
    tiers = mirrored.stripe_data.get("tiers") if mirrored else None
    return tiers[-1]["unit_amount"] if tiers else None
