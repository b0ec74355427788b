"""Create many customers at once, as in a large account, without one call for each."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sandbox.stripe.billing.usage import series
from sandbox.stripe.clock import DAY
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import missing_object
from sandbox.stripe.ids import new_id
from sandbox.stripe.resources import customers, meters, prices, products, subscriptions
from sandbox.stripe.store import Record

CARD = "pm_card_visa"


def seed(
    env: StripeEnvironment,
    *,
    count: int,
    events_each: int = 0,
    days: int = 0,
    price_keys: Sequence[str] = (),
) -> dict[str, Any]:
    """Create customers with a card, each with a subscription to the prices and usage of one of them.

    Prices are ids or lookup keys; without any, a meter and a price are created. Usage is dated now, or spread
    evenly over the past `days`. Emits no events. Returns the customers' ids, oldest first.
    """
    made: list[str] = []
    with env.without_events(), _uncollected():
        chosen = [_price(env, key) for key in price_keys] or [_own_price(env)]
        meter = _meter(env, chosen)
        items = [{"price": price["id"]} for price in chosen]
        for number in range(1, count + 1):
            customer = _subscriber(env, number, items)
            made.append(customer)
            if meter:
                _use(env, meter, customer, events_each, days)
    return {"customers": made, "prices": [price["id"] for price in chosen]}


@contextmanager
def _uncollected() -> Iterator[None]:
    """Turn off garbage collection: all of this stays, and collecting would take a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _subscriber(env: StripeEnvironment, number: int, items: list[dict[str, str]]) -> str:
    customer = customers.create(
        env,
        {
            "email": f"seeded{number}@example.com",
            "name": f"Seeded customer {number}",
            "payment_method": CARD,
            "invoice_settings": {"default_payment_method": CARD},
        },
    )
    subscriptions.create(env, {"customer": customer["id"], "items": items})
    return str(customer["id"])


def _use(env: StripeEnvironment, meter: Record, customer: str, count: int, days: int) -> None:
    """Record one unit of usage each, oldest first."""
    now = env.now()
    step = days * DAY / count if count else 0
    payload = {meter["customer_mapping"]["event_payload_key"]: customer}
    payload[meter["value_settings"]["event_payload_key"]] = "1"
    for left in range(count, 0, -1):
        # Not by meter_events.create: it would recount the customer's drafts for every event.
        env.store.insert(
            {
                "_id": f"meter_event:{new_id('e')}",
                "object": "billing.meter_event",
                "created": now,
                "event_name": meter["event_name"],
                "identifier": new_id("mtrevt", 20),
                "livemode": False,
                "payload": payload,
                "timestamp": now - int(step * left),
                "_series": series(meter, customer),
                "_customer": customer,
                "_value": 1,
                "_cancelled": False,
                "_rejected": None,
            }
        )


def _price(env: StripeEnvironment, key: str) -> Record:
    found = env.store.get("price", key) or next(env.store.newest("price", lookup_key=key), None)
    if found is None:
        raise missing_object("price", key, "prices")
    return found


def _meter(env: StripeEnvironment, chosen: list[Record]) -> Record | None:
    """Return the meter of the first price that has one."""
    ids = [price["recurring"]["meter"] for price in chosen if price["recurring"]["meter"]]
    return env.require("billing.meter", ids[0]) if ids else None


def _own_price(env: StripeEnvironment) -> Record:
    name = "seeded_usage"
    formula = {"formula": "sum"}
    meter = meters.active_meter(env, name) or meters.create(
        env, {"display_name": "Seeded usage", "event_name": name, "default_aggregation": formula}
    )
    product = products.create(env, {"name": "Seeded usage"})
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter["id"]}
    fields = {"product": product["id"], "currency": "usd", "unit_amount": 1500, "recurring": recurring}
    return prices.create(env, fields)
