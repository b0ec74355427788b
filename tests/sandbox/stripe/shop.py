"""The tests' price list: metered fixes, and a monthly price for teams that includes sixty fixes."""

from functools import cached_property
from typing import Any

import stripe

KEY = "sk_test_" + "a1B2" * 6


class Shop:
    """Products, prices and customers, created through the SDK on demand."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.v1: Any = client.v1

    @cached_property
    def meter(self) -> Any:
        return self.v1.billing.meters.create(
            {
                "display_name": "Fixes",
                "event_name": "fix_deployed",
                "default_aggregation": {"formula": "sum"},
            }
        )

    @cached_property
    def product(self) -> Any:
        return self.v1.products.create({"name": "Fix"})

    @cached_property
    def by_the_piece(self) -> Any:
        return self._price(unit_amount=1500, recurring=self._metered(), lookup_key="payg")

    @cached_property
    def monthly(self) -> Any:
        return self._price(unit_amount=49900, recurring={"interval": "month"}, lookup_key="teams")

    @cached_property
    def beyond_sixty(self) -> Any:
        tiers = [{"up_to": 60, "unit_amount": 0}, {"up_to": "inf", "unit_amount": 800}]
        return self._price(
            billing_scheme="tiered", tiers_mode="graduated", tiers=tiers, recurring=self._metered()
        )

    def customer(self, card: str | None = "pm_card_visa", email: str = "ada@example.com") -> Any:
        """Create a customer with `card`, if given, as the default payment method."""
        given: dict[str, Any] = {"email": email}
        if card:
            given |= {"payment_method": card, "invoice_settings": {"default_payment_method": card}}
        return self.v1.customers.create(given)

    def subscribe(self, customer: Any, *prices: Any, **more: Any) -> Any:
        items = [{"price": price.id} for price in prices]
        return self.v1.subscriptions.create({"customer": customer.id, "items": items, **more})

    def fix(self, customer: Any, value: int | str = 1, **more: Any) -> Any:
        """Report fixes to the meter."""
        payload = {"stripe_customer_id": customer.id, "value": str(value)}
        assert self.meter
        return self.v1.billing.meter_events.create({"event_name": "fix_deployed", "payload": payload, **more})

    def invoices(self, customer: Any) -> list[Any]:
        """Return the customer's invoices, newest first."""
        return list(self.v1.invoices.list({"customer": customer.id}).data)

    @cached_property
    def portal_configuration(self) -> Any:
        """A configuration of the portal in which everything is on that the sandbox's page has."""
        on = ("invoice_history", "payment_method_update", "subscription_cancel")
        features = {name: {"enabled": True} for name in on}
        return self.v1.billing_portal.configurations.create({"features": features})

    def open_portal(self, customer: Any, **more: Any) -> Any:
        return self.v1.billing_portal.sessions.create(
            {"customer": customer.id, "configuration": self.portal_configuration.id, **more}
        )

    def _metered(self) -> dict[str, str]:
        return {"interval": "month", "usage_type": "metered", "meter": self.meter.id}

    def _price(self, **fields: Any) -> Any:
        return self.v1.prices.create({"product": self.product.id, "currency": "usd", **fields})
