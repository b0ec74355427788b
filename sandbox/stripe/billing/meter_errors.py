"""Meter errors: usage that was accepted but is invalid, never counted, and reported by a thin event."""

from collections import Counter
from typing import Any

from sandbox.stripe.clock import iso
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import bad_parameter
from sandbox.stripe.store import Record

EVENT = "v1.billing.meter.error_report_triggered"
REPORTED_AFTER = 10  # Errors within this many seconds are gathered into one report.
SAMPLES = 100
MESSAGES = {
    "archived_meter": "The meter is archived.",
    "meter_event_customer_not_found": "No customer was found for the id in the payload.",
    "meter_event_dimension_count_too_high": "The payload has too many dimensions.",
    "meter_event_invalid_value": "The value in the payload is not a whole number.",
    "meter_event_no_customer_defined": "The customer mapping key was not found in the payload.",
    "meter_event_value_too_many_digits": "The value in the payload has too many digits.",
    "missing_dimension_payload_keys": "A dimension of the meter was not found in the payload.",
    "no_meter": "No meter was found for the event name.",
    "timestamp_in_future": "The timestamp must be at most 5 minutes in the future.",
    "timestamp_too_far_in_past": "The timestamp must be within the past 35 calendar days.",
}


def gather(env: StripeEnvironment, meter: Record, identifier: str, code: str) -> None:
    """Add an error to the meter's next report."""
    id = f"meter_errors:{meter['id']}"
    waiting = env.store.find(id)
    error = {"identifier": identifier, "code": code}
    if waiting:
        env.store.replace(waiting, errors=[*waiting["errors"], error])
        return
    due = env.now() + REPORTED_AFTER
    kind = "sandbox.meter_errors"
    env.add(kind, id, meter=meter["id"], errors=[error], _due_at=due)


def report_gathered(env: StripeEnvironment, waiting: Record) -> None:
    """Close the window and emit one event for all its errors."""
    meter = env.require("billing.meter", waiting["meter"])
    report(env, meter, waiting["errors"], since=waiting["created"])
    env.store.delete(waiting)


def report(env: StripeEnvironment, meter: Record, errors: list[Record], *, since: int) -> Record:
    """Emit an event for the errors (`identifier`, `code`), grouped by code; one sample per group is named."""
    count = len(errors)
    data = {
        "developer_message_summary": f"There {'is' if count == 1 else 'are'} {count} invalid event"
        f"{'' if count == 1 else 's'}",
        "reason": {"error_count": count, "error_types": _grouped(errors)},
        "validation_end": iso(env.now()),
        "validation_start": iso(since),
    }
    related = {
        "id": meter["id"],
        "type": "billing.meter",
        "url": f"/v1/billing/meters/{meter['id']}",
    }
    return env.emit_thin(EVENT, related, data)


def check_code(code: str) -> str:
    """Return the code if it is one of Stripe's."""
    if code not in MESSAGES:
        raise bad_parameter(f"One of {', '.join(MESSAGES)}", None, "code")
    return code


def _grouped(errors: list[Record]) -> list[dict[str, Any]]:
    counts = Counter(error["code"] for error in errors)
    return [
        {
            "code": code,
            "error_count": count,
            "sample_errors": [
                {"error_message": MESSAGES[code], "request": {"identifier": error["identifier"]}}
                for error in errors
                if error["code"] == code
            ][:SAMPLES],
        }
        for code, count in counts.items()
    ]
