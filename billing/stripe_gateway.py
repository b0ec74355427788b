"""The one module that speaks to Stripe. Small functions in our language, plain values back.

Every function calls out, with a timeout and two bounded retries, and raises StripeUnavailable when the
answer is unknown or will be another later, StripeRefused when Stripe has said no. A write for a customer
carries an idempotency key, and what it makes is looked for before it is made. Objects that we keep are
synced into dj-stripe's tables before a function returns. Sources: https://docs.stripe.com/api
(2026-08-26.dahlia), https://docs.stripe.com/billing/subscriptions/usage-based
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import stripe
import structlog
from django.conf import settings
from djstripe import models as djstripe

from .plans import CURRENCY, METER_EVENT_NAME, PLANS, Plan

log = structlog.get_logger(__name__)

SIGNATURE_TOLERANCE_SECONDS = 300
SUBSCRIBER = "djstripe_subscriber"  # where dj-stripe looks for our customer's id
# What we act on, and what dj-stripe mirrors for the portal.
WEBHOOK_EVENTS: Any = [
    "customer.created",
    "customer.updated",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "invoice.created",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.updated",
    "invoice.voided",
]


class StripeUnavailable(Exception):
    """No answer, or one that will be another later: the outcome of the call is unknown."""


class NotSetUp(StripeUnavailable):
    """Stripe lacks what `sync_plans` makes: everything waits until an operator has run it."""


class StripeRefused(Exception):
    """Stripe understood and said no. `code` is Stripe's own."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class BadSignature(Exception):
    """A webhook that no known endpoint secret has signed, or not lately."""


@dataclass(frozen=True)
class MeterEvent:
    """One fix for Stripe's meter. `identifier` is derived from the ledger row: Stripe counts it once a day.

    `attempt` makes the idempotency key a new one: Stripe keeps any answer under its key for a day, an error
    of its own too, and it is the identifier that keeps an attempt from counting again.
    """

    identifier: str
    stripe_customer_id: str
    at: datetime
    attempt: int


@cache
def get_client() -> stripe.StripeClient:
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses={"api": settings.STRIPE_API_BASE, "meter_events": settings.STRIPE_API_BASE},
        http_client=stripe.RequestsClient(timeout=settings.STRIPE_TIMEOUT_SECONDS),
        max_network_retries=2,
    )


@contextmanager
def _translate_errors(call: str) -> Iterator[None]:
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        log.warning("stripe_unavailable", call=call, error=type(error).__name__)
        raise StripeUnavailable(f"{call}: {type(error).__name__}") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        log.error("stripe_key_refused", call=call, status=error.http_status)
        raise StripeUnavailable(f"{call}: Stripe refuses our key") from error
    except stripe.StripeError as error:
        if (error.http_status or 500) >= 500 or error.http_status == 409:
            log.warning("stripe_unavailable", call=call, status=error.http_status)
            raise StripeUnavailable(f"{call}: status {error.http_status}") from error
        log.warning("stripe_refused", call=call, code=error.code, stripe_request_id=error.request_id)
        raise StripeRefused(error.user_message or str(error), code=error.code or "") from error


def report_usage(event: MeterEvent) -> bool:
    """Count one fix at the meter; whether it was counted now, False where it stood there already.

    Repeating it within 24 hours counts once.
    """
    with _translate_errors("report_usage"):
        try:
            get_client().v1.billing.meter_events.create(
                {
                    "event_name": METER_EVENT_NAME,
                    "identifier": event.identifier,
                    "timestamp": int(event.at.timestamp()),
                    "payload": {"stripe_customer_id": event.stripe_customer_id, "value": "1"},
                },
                {"idempotency_key": f"meter-{event.identifier}-{event.attempt}"},
            )
        except stripe.InvalidRequestError as error:
            if _is_duplicate(error):
                return False
            if "timestamp_in_future" in f"{error.code} {error}":
                raise StripeUnavailable("our clock is ahead of Stripe's") from error
            raise
    return True


def _is_duplicate(error: stripe.InvalidRequestError) -> bool:
    return error.code == "duplicate_meter_event" or "already exists with identifier" in str(error)


def count_metered(*, stripe_customer_id: str, minute: datetime) -> int:
    """The fixes that the meter holds for a customer in one minute of the clock."""
    start = int(minute.timestamp()) // 60 * 60
    with _translate_errors("count_metered"):
        summaries = get_client().v1.billing.meters.event_summaries.list(
            find_meter_id(), {"customer": stripe_customer_id, "start_time": start, "end_time": start + 60}
        )
        return round(sum(summary.aggregated_value for summary in summaries.auto_paging_iter()))


@cache
def find_meter_id() -> str:
    """The id of our meter. Raises NotSetUp."""
    for meter in get_client().v1.billing.meters.list({"status": "active", "limit": 100}).auto_paging_iter():
        if meter.event_name == METER_EVENT_NAME:
            return meter.id
    raise NotSetUp("There is no meter at Stripe yet: run manage.py sync_plans.")


def create_customer(*, customer_id: str, name: str, email: str, attempt: int) -> djstripe.Customer:
    """The Stripe customer that stands for ours. Repeating it gives the same one."""
    with _translate_errors("create_customer"):
        same_email = get_client().v1.customers.list({"email": email, "limit": 100})
        ours = (each for each in same_email.data if _read_metadata(each, SUBSCRIBER) == customer_id)
        created = next(ours, None) or get_client().v1.customers.create(
            {"name": name, "email": email, "metadata": {SUBSCRIBER: customer_id}},
            {"idempotency_key": f"customer-{customer_id}-{attempt}"},
        )
        row: djstripe.Customer = djstripe.Customer.sync_from_stripe_data(created)
    djstripe.Customer.objects.filter(id=row.id).update(subscriber_id=customer_id)
    return row


def set_payment_method(*, stripe_customer_id: str, payment_method: str) -> None:
    """Make a payment method the customer's default. Repeating it changes nothing."""
    key = f"payment-method-{stripe_customer_id}-{payment_method}"
    with _translate_errors("set_payment_method"):
        client = get_client().v1
        attached = client.payment_methods.attach(
            payment_method, {"customer": stripe_customer_id}, {"idempotency_key": key}
        )
        client.customers.update(
            stripe_customer_id,
            {"invoice_settings": {"default_payment_method": attached.id}},
            {"idempotency_key": f"default-{key}"},
        )


def create_subscription(
    *, stripe_customer_id: str, plan: Plan, wish: str, attempt: int
) -> djstripe.Subscription:
    """Subscribe a customer to a plan's prices. Repeating it for the same wish subscribes once."""
    with _translate_errors("create_subscription"):
        existing = get_client().v1.subscriptions.list({"customer": stripe_customer_id, "status": "all"})
        opened = next((each for each in existing.data if _read_metadata(each, "wish") == wish), None)
        if opened is None:
            price_ids = find_price_ids(plan)
            items: list[Any] = [{"price": price_ids[key]} for key in _lookup_keys(plan)]
            opened = get_client().v1.subscriptions.create(
                {"customer": stripe_customer_id, "items": items, "metadata": {"wish": wish}},
                {"idempotency_key": f"subscription-{wish}-{attempt}"},
            )
        return _sync_subscription(opened)


def cancel_subscription(subscription_id: str) -> djstripe.Subscription:
    """End a subscription now, its open usage invoiced. Repeating it changes nothing."""
    with _translate_errors("cancel_subscription"):
        canceled = get_client().v1.subscriptions.cancel(
            subscription_id, {"invoice_now": True}, {"idempotency_key": f"cancel-{subscription_id}"}
        )
        return _sync_subscription(canceled)


def sync_subscription(subscription_id: str) -> djstripe.Subscription:
    """Read a subscription as it is now."""
    with _translate_errors("sync_subscription"):
        return _sync_subscription(get_client().v1.subscriptions.retrieve(subscription_id))


def _read_metadata(found: Any, key: str) -> str | None:
    return found.metadata[key] if found.metadata and key in found.metadata else None


def _sync_subscription(subscription: stripe.Subscription) -> djstripe.Subscription:
    row: djstripe.Subscription = djstripe.Subscription.sync_from_stripe_data(subscription)
    return row


def _lookup_keys(plan: Plan) -> list[str]:
    return [key for key in (plan.flat_price, plan.fix_price) if key]


def find_price_ids(plan: Plan) -> dict[str, str]:
    """Price ids by lookup key. Raises NotSetUp."""
    wanted = _lookup_keys(plan)
    prices = get_client().v1.prices.list({"lookup_keys": wanted, "active": True})
    found = {price.lookup_key: price.id for price in prices.data if price.lookup_key}
    if missing := set(wanted) - set(found):
        raise NotSetUp(f"No price at Stripe for {sorted(missing)}: run manage.py sync_plans.")
    return found


def sync_plans() -> dict[str, str]:
    """Make the meter, products and prices that Stripe lacks; return every id by name. Repeatable.

    A price that our plans have changed is made anew and takes over the lookup key; subscriptions that run
    keep the price that they were opened at.
    """
    with _translate_errors("sync_plans"):
        ids = {METER_EVENT_NAME: _find_or_create_meter()}
        for plan in PLANS.values():
            if plan.is_metered:
                ids |= _sync_plan(plan, meter_id=ids[METER_EVENT_NAME])
        return ids


def _find_or_create_meter() -> str:
    try:
        return find_meter_id()
    except NotSetUp:
        created = get_client().v1.billing.meters.create(
            {
                "display_name": "Fixes deployed",
                "event_name": METER_EVENT_NAME,
                "default_aggregation": {"formula": "sum"},
                "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
                "value_settings": {"event_payload_key": "value"},
            }
        )
        return created.id


def _sync_plan(plan: Plan, *, meter_id: str) -> dict[str, str]:
    client = get_client().v1
    product_id = f"rsolv_{plan.key}"
    try:
        product = client.products.retrieve(product_id)
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise
        product = client.products.create({"id": product_id, "name": f"RSOLV {plan.name}"})
    djstripe.Product.sync_from_stripe_data(product)
    ids = {product_id: product.id}
    for parameters in _describe_prices(plan, product_id=product_id, meter_id=meter_id):
        found = client.prices.list(
            {"lookup_keys": [parameters["lookup_key"]], "active": True, "expand": ["data.tiers"]}
        ).data
        price = next((each for each in found if _costs(each) == _costs(parameters)), None)
        if price is None:
            price = client.prices.create(parameters | {"transfer_lookup_key": True})
        djstripe.Price.sync_from_stripe_data(price)
        ids[parameters["lookup_key"]] = price.id
    return ids


def _costs(price: Any) -> list[tuple[str, int]]:
    """A price, ours or Stripe's, as its tiers: up to how many, for how many cents each."""
    tiers = price.get("tiers") or [{"up_to": None, "unit_amount": price.get("unit_amount")}]
    return [(str(tier["up_to"] or "inf"), tier["unit_amount"]) for tier in tiers]


def _describe_prices(plan: Plan, *, product_id: str, meter_id: str) -> list[Any]:
    shared = {"product": product_id, "currency": CURRENCY}
    metered = {"interval": "month", "usage_type": "metered", "meter": meter_id}
    prices: list[Any] = []
    if plan.flat_price:
        flat = {"lookup_key": plan.flat_price, "unit_amount": plan.monthly_price_cents}
        prices.append(shared | flat | {"recurring": {"interval": "month"}})
    amount: dict[str, Any] = {"unit_amount": plan.unit_price_cents}
    if plan.included:
        tiers = [
            {"up_to": plan.included, "unit_amount": 0},
            {"up_to": "inf", "unit_amount": plan.unit_price_cents},
        ]
        amount = {"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": tiers}
    prices.append(shared | amount | {"lookup_key": plan.fix_price, "recurring": metered})
    return prices


def register_webhook(url: str) -> str:
    """Ask Stripe to deliver to a URL, and keep the endpoint's secret. An endpoint we hold for it is kept."""
    if known := djstripe.WebhookEndpoint.objects.filter(url=url).exclude(secret="").first():
        return str(known.id)
    with _translate_errors("register_webhook"):
        version: Any = settings.STRIPE_API_VERSION
        created = get_client().v1.webhook_endpoints.create(
            {"url": url, "enabled_events": WEBHOOK_EVENTS, "api_version": version}
        )
        row = djstripe.WebhookEndpoint.sync_from_stripe_data(created)
    return str(row.id)


def verify_webhook(*, payload: str, signature: str) -> None:
    """Raise BadSignature unless an endpoint of ours signed this, at most 300 seconds ago. No call."""
    for secret in djstripe.WebhookEndpoint.objects.exclude(secret="").values_list("secret", flat=True):
        try:
            stripe.WebhookSignature.verify_header(payload, signature, secret, SIGNATURE_TOLERANCE_SECONDS)
        except stripe.SignatureVerificationError:
            continue
        return
    raise BadSignature


def apply_event(payload: dict[str, Any]) -> None:
    """Let dj-stripe mirror what an event is about, and its receivers run. Safe to repeat.

    An event that dj-stripe knows already is handed to the receivers again: the last time may have died
    between its commit and ours.
    """
    with _translate_errors("apply_event"):
        known = djstripe.Event.objects.filter(id=payload["id"]).first()
        if known is None:
            djstripe.Event.process(data=payload)
        else:
            known.invoke_webhook_handlers()


def check_connection() -> None:
    """Raise StripeUnavailable or StripeRefused unless Stripe answers us, within two seconds."""
    client = stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses={"api": settings.STRIPE_API_BASE},
        http_client=stripe.RequestsClient(timeout=2),
        max_network_retries=0,
    )
    with _translate_errors("check_connection"):
        client.v1.accounts.retrieve_current()
