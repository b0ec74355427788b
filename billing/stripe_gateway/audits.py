"""Reads for reconciliation: Stripe's present state, independent of its webhooks."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from .client import get_client
from .errors import translate_errors
from .mirror import mirror_invoice
from .snapshots import SubscriptionSnapshot, parse_subscription


def list_subscriptions(*, stripe_customer_id: str | None = None) -> Iterator[SubscriptionSnapshot]:
    """Yield every subscription that has not ended, of one customer or of all, in pages of 100.

    Calls Stripe for each page as it is consumed. Raises StripeUnavailable, StripeRejected.
    """
    query: dict[str, Any] = {"limit": 100}
    if stripe_customer_id is not None:
        query["customer"] = stripe_customer_id
    with translate_errors("list_subscriptions"):
        while True:
            # Raw JSON, because building the SDK's objects takes three milliseconds per subscription.
            page: dict[str, Any] = (
                get_client().raw_request("get", f"/v1/subscriptions?{urlencode(query)}").data
            )
            yield from map(parse_subscription, page["data"])
            if not page["has_more"]:
                return
            query["starting_after"] = page["data"][-1]["id"]


def sync_invoices(*, subscription_id: str, since: datetime) -> None:
    """Mirror a subscription's invoices that were created at or after `since`. Safe to repeat."""
    with translate_errors("sync_invoices"):
        found = get_client().v1.invoices.list(
            {"subscription": subscription_id, "created": {"gte": int(since.timestamp())}, "limit": 100}
        )
        for invoice in found.auto_paging_iter():
            mirror_invoice(invoice)


def sync_customer_invoices(*, stripe_customer_id: str, since: datetime) -> None:
    """Mirror a customer's invoices that were created at or after `since`. Safe to repeat."""
    with translate_errors("sync_invoices"):
        found = get_client().v1.invoices.list(
            {"customer": stripe_customer_id, "created": {"gte": int(since.timestamp())}, "limit": 100}
        )
        for invoice in found.auto_paging_iter():
            mirror_invoice(invoice)
