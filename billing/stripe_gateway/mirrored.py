"""Reads of dj-stripe's tables: Stripe's objects as last mirrored. No Stripe calls.

A selector may filter a queryset by its columns (customer, created). Conditions on Stripe's JSON are the
functions below, and rows are read as snapshots, so that no other package depends on that JSON.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from djstripe import models as djstripe

from .snapshots import (
    InvoiceSnapshot,
    PriceSnapshot,
    SubscriptionSnapshot,
    parse_invoice,
    parse_price,
    parse_subscription,
)


def has_status(*statuses: str) -> Q:
    """Filter invoices or subscriptions by Stripe's status."""
    return Q(stripe_data__status__in=statuses)


def has_number(number: str) -> Q:
    """Filter invoices by number."""
    return Q(stripe_data__number=number)


def is_failed() -> Q:
    """Filter invoices that are open after a payment attempt."""
    return Q(stripe_data__status="open", stripe_data__attempted=True)


def read_invoice(row: djstripe.Invoice) -> InvoiceSnapshot:
    return parse_invoice(row.stripe_data, invoice_id=row.id)


def read_subscription(row: djstripe.Subscription) -> SubscriptionSnapshot:
    return parse_subscription(row.stripe_data)


def list_invoices(rows: QuerySet[djstripe.Invoice]) -> list[InvoiceSnapshot]:
    """List the invoices of a queryset, in its order, in one query."""
    found = rows.values_list("id", "stripe_data")
    return [parse_invoice(data, invoice_id=invoice_id) for invoice_id, data in found]


def list_payable_invoices(customer_id: UUID, *, limit: int) -> list[InvoiceSnapshot]:
    """List a customer's open invoices that have a hosted page, newest first, in one query."""
    rows = djstripe.Invoice.objects.filter(
        customer__subscriber_id=customer_id,
        stripe_data__status="open",
        stripe_data__hosted_invoice_url__startswith="http",
    )
    return list_invoices(rows.order_by("-created", "-djstripe_id")[:limit])


def list_invoices_by_customer(
    customer_ids: Collection[UUID], *, since: datetime
) -> dict[UUID, list[InvoiceSnapshot]]:
    """List the invoices created at or after `since`, by our customer's id, in one query."""
    rows = djstripe.Invoice.objects.filter(customer__subscriber_id__in=customer_ids, created__gte=since)
    found: dict[UUID, list[InvoiceSnapshot]] = defaultdict(list)
    for customer_id, invoice_id, data in rows.values_list("customer__subscriber_id", "id", "stripe_data"):
        found[customer_id].append(parse_invoice(data, invoice_id=invoice_id))
    return found


def find_invoice_number(invoice_id: str) -> str:
    """Return an invoice's number, or an empty string for a draft or an unknown invoice."""
    numbers = djstripe.Invoice.objects.filter(id=invoice_id).values_list("stripe_data__number", flat=True)
    return numbers.first() or ""


def sum_paid_cents(*, since: datetime) -> int:
    """Return what our customers have paid on invoices since a time, in US cents, before refunds."""
    paid = djstripe.Invoice.objects.filter(
        customer__subscriber__isnull=False,
        stripe_data__status="paid",
        stripe_data__status_transitions__paid_at__gte=int(since.timestamp()),
    )
    return sum(paid.values_list("stripe_data__amount_paid", flat=True).iterator())


def list_customer_subscriptions(stripe_customer_id: str | None) -> list[SubscriptionSnapshot]:
    """List a Stripe customer's subscriptions, including ended ones and those to other products."""
    rows = djstripe.Subscription.objects.filter(customer__id=stripe_customer_id)
    return [parse_subscription(data) for data in rows.values_list("stripe_data", flat=True)]


def iterate_subscriptions() -> Iterator[tuple[UUID, SubscriptionSnapshot]]:
    """Yield every mirrored subscription of our customers with the customer's id."""
    rows = djstripe.Subscription.objects.filter(customer__subscriber__isnull=False)
    for customer_id, data in rows.values_list("customer__subscriber_id", "stripe_data").iterator():
        yield customer_id, parse_subscription(data)


def list_prices() -> dict[str, PriceSnapshot]:
    """Return every mirrored price by id, current and former: a handful of rows."""
    rows = djstripe.Price.objects.values_list("id", "stripe_data")
    return {price_id: parse_price({**data, "id": price_id}) for price_id, data in rows}


def list_metered_prices() -> set[str]:
    """Return the ids of the metered prices, current and former, whose quantity is a number of fixes."""
    return {price_id for price_id, price in list_prices().items() if price.is_metered}
