"""Stripe's meter of fixes: report events and read its summaries."""

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
    """One fix for Stripe's meter. `identifier` comes from the ledger row; Stripe counts it once in 24 hours.

    `attempt` is part of the idempotency key, because Stripe replays any response under its key for a day,
    even its own errors. It is the identifier, not the key, that prevents counting a fix twice.
    """

    identifier: str
    stripe_customer_id: str
    at: datetime
    attempt: int


def report_usage(event: MeterEvent) -> bool:
    """Report one fix to the meter; return True if it is counted now, False if it already was.

    Safe to repeat within 24 hours. Raises StripeUnavailable, StripeRejected.
    Source: https://docs.stripe.com/api/billing/meter-event/create
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
                # A retry succeeds once Stripe's clock has passed the event's time.
                raise StripeUnavailable("our clock is ahead of Stripe's") from error
            raise
    return True


def _is_duplicate(error: stripe.InvalidRequestError) -> bool:
    return error.code == "duplicate_meter_event" or "already exists with identifier" in str(error)


def count_metered(*, stripe_customer_id: str, minute: datetime) -> int:
    """Return the number of fixes that the meter holds for a customer in one calendar minute."""
    start = minute.replace(second=0, microsecond=0)
    return count_metered_between(
        stripe_customer_id=stripe_customer_id, start=start, end=start + timedelta(minutes=1)
    )


def count_metered_between(*, stripe_customer_id: str, start: datetime, end: datetime) -> int:
    """Return the number of fixes that the meter holds for `start <= t < end`, both whole minutes.

    Stripe aggregates asynchronously, so recent events may be missing. The caller must allow for that.
    Source: https://docs.stripe.com/api/billing/meter-event-summary/list
    """
    span: Any = {"start_time": int(start.timestamp()), "end_time": int(end.timestamp())}
    with translate_errors("count_metered"):
        summaries = get_client().v1.billing.meters.event_summaries.list(
            find_meter_id(), span | {"customer": stripe_customer_id, "limit": 100}
        )
        return round(sum(summary.aggregated_value for summary in summaries.auto_paging_iter()))


# functools.cache keeps no exception, so a meter that is created later is found.
@cache
def find_meter_id() -> str:
    """Return the id of our meter, cached for the life of the process. Raises NotSetUp."""
    for meter in get_client().v1.billing.meters.list({"status": "active", "limit": 100}).auto_paging_iter():
        if meter.event_name == METER_EVENT_NAME:
            return meter.id
    raise NotSetUp("There is no meter at Stripe yet: run manage.py sync_plans.")
