"""Reads for reconciliation: what Stripe holds, beside what it told us."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from djstripe import models as djstripe

from .client import get_client
from .errors import translate_errors


def list_subscriptions(*, stripe_customer_id: str | None = None) -> Iterator[dict[str, Any]]:
    """Every subscription that has not ended, of one customer or of all, a hundred a call."""
    one = {"customer": stripe_customer_id} if stripe_customer_id else {}
    parameters: Any = {"limit": 100, **one}
    with translate_errors("list_subscriptions"):
        for found in get_client().v1.subscriptions.list(parameters).auto_paging_iter():
            yield found.to_dict()


def sync_invoices(*, subscription_id: str, since: datetime) -> None:
    """Mirror a subscription's invoices that were made since an instant."""
    with translate_errors("sync_invoices"):
        found = get_client().v1.invoices.list(
            {"subscription": subscription_id, "created": {"gte": int(since.timestamp())}, "limit": 100}
        )
        for invoice in found.auto_paging_iter():
            djstripe.Invoice.sync_from_stripe_data(invoice)
