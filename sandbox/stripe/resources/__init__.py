"""One module for each Stripe resource; importing this package registers their endpoints."""

from sandbox.stripe.resources import (
    account,
    charges,
    customers,
    events,
    invoices,
    meter_events,
    meters,
    payment_intents,
    payment_methods,
    prices,
    products,
    subscription_items,
    subscriptions,
    webhook_endpoints,
)

__all__ = [
    "account",
    "charges",
    "customers",
    "events",
    "invoices",
    "meter_events",
    "meters",
    "payment_intents",
    "payment_methods",
    "prices",
    "products",
    "subscription_items",
    "subscriptions",
    "webhook_endpoints",
]
