"""The meter: what counts as a fix at Stripe."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import stripe

from billing.plans import METER_EVENT_NAME

from .client import get_client
from .errors import NotSetUp, StripeUnavailable, translate_errors


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


def report_usage(event: MeterEvent) -> bool:
    """Count one fix at the meter; whether it was counted now, False where it stood there already.

    Repeating it within 24 hours counts once.
    """
    with translate_errors("report_usage"):
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
    start = minute.replace(second=0, microsecond=0)
    return count_metered_between(
        stripe_customer_id=stripe_customer_id, start=start, end=start + timedelta(minutes=1)
    )


def count_metered_between(*, stripe_customer_id: str, start: datetime, end: datetime) -> int:
    """The fixes that the meter holds for `start <= t < end`, both whole minutes. Stripe's sums lag behind."""
    span: Any = {"start_time": int(start.timestamp()), "end_time": int(end.timestamp())}
    with translate_errors("count_metered"):
        summaries = get_client().v1.billing.meters.event_summaries.list(
            find_meter_id(), span | {"customer": stripe_customer_id, "limit": 100}
        )
        return round(sum(summary.aggregated_value for summary in summaries.auto_paging_iter()))


@cache
def find_meter_id() -> str:
    """The id of our meter. Raises NotSetUp."""
    for meter in get_client().v1.billing.meters.list({"status": "active", "limit": 100}).auto_paging_iter():
        if meter.event_name == METER_EVENT_NAME:
            return meter.id
    raise NotSetUp("There is no meter at Stripe yet: run manage.py sync_plans.")
