"""/v1/billing/meter_events and meter_event_adjustments: report and cancel usage."""

import re
from typing import Any

from sandbox.stripe.billing import meter_errors
from sandbox.stripe.billing.invoicing import refresh_drafts
from sandbox.stripe.billing.usage import series
from sandbox.stripe.clock import DAY, MINUTE
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure, bad_parameter
from sandbox.stripe.ids import new_id
from sandbox.stripe.params import Choice, Field, Integer, Mapped, Required, Shape, Text
from sandbox.stripe.render import presents, without_ours
from sandbox.stripe.resources.meters import active_meter
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record, Store

CREATE: dict[str, Field] = {
    "event_name": Required(Text(100)),
    "payload": Required(Mapped()),
    "identifier": Text(100),
    "timestamp": Integer(0),
}
CANCEL: dict[str, Field] = {
    "event_name": Required(Text(100)),
    "type": Required(Choice(("cancel",))),
    "cancel": Shape({"identifier": Required(Text(100))}),
}


@route("POST", "/v1/billing/meter_events", CREATE)
def create(env: StripeEnvironment, params: Record) -> Record:
    """Count the event at once; with the fault `meter_reject`, accept it and report it as invalid later."""
    fault = env.faults.for_meter_event(params["event_name"])
    identifier = params.get("identifier") or new_id("mtrevt", 20)
    if fault:
        return _reject_later(env, params, identifier, fault.code)
    meter = _meter(env, params["event_name"])
    customer = _check(env, params, meter)
    _reject_repeated(env, identifier)
    event = _file(env, params, identifier, meter, customer)
    refresh_drafts(env, customer)
    return event


def _check(env: StripeEnvironment, params: Record, meter: Record) -> str:
    """Reject invalid usage; return its customer."""
    key = meter["customer_mapping"]["event_payload_key"]
    customer = _payload(params, key)
    if meter["default_aggregation"]["formula"] != "count":
        _check_value(params, meter)
    _check_timestamp(env, params)
    env.require("customer", customer, f"payload[{key}]")
    return customer


def _reject_later(env: StripeEnvironment, params: Record, identifier: str, code: str) -> Record:
    """Accept an event without counting it; the meter's next report names it."""
    known = list(env.store.newest("billing.meter", event_name=params["event_name"]))
    # An archived meter still reports errors; an unknown one has nobody to report to and raises at once.
    meter = known[0] if known else _meter(env, params["event_name"])
    _reject_repeated(env, identifier)
    try:
        _check(env, params, _meter(env, params["event_name"]))
    except StripeFailure as failure:
        code = _code(failure, meter)
    customer = params["payload"].get(meter["customer_mapping"]["event_payload_key"], "")
    meter_errors.gather(env, meter, identifier, code)
    return _file(env, params, identifier, meter, customer, rejected=code)


def _code(failure: StripeFailure, meter: Record) -> str:
    """Return the code of a rejection in a report."""
    code = str(failure.error.get("code"))
    if code in meter_errors.MESSAGES:
        return code
    if failure.error.get("param") == f"payload[{meter['value_settings']['event_payload_key']}]":
        return "meter_event_invalid_value"
    missing = code == "parameter_missing"
    return "meter_event_no_customer_defined" if missing else "meter_event_customer_not_found"


def _file(
    env: StripeEnvironment,
    params: Record,
    identifier: str,
    meter: Record,
    customer: str,
    *,
    rejected: str | None = None,
) -> Record:
    value = params["payload"].get(meter["value_settings"]["event_payload_key"], "0")
    return env.store.insert(
        {
            "_id": f"meter_event:{new_id('e')}",
            "object": "billing.meter_event",
            "created": env.now(),
            "event_name": params["event_name"],
            "identifier": identifier,
            "livemode": False,
            "payload": params["payload"],
            "timestamp": params.get("timestamp", env.now()),
            "_series": series(meter, customer),
            "_customer": customer,
            "_value": 0 if rejected else int(value),
            "_cancelled": False,
            "_rejected": rejected,
        }
    )


def reject(env: StripeEnvironment, identifier: str, code: str) -> Record:
    """Reject usage that was accepted: uncount it and report it now; return the report's event."""
    meter_errors.check_code(code)
    event = next(env.store.newest("billing.meter_event", identifier=identifier), None)
    if event is None:
        raise StripeFailure(f"No meter event found with identifier {identifier}.", code="resource_missing")
    env.store.replace(event, _value=0, _rejected=code)
    refresh_drafts(env, event["_customer"])
    meter = next(env.store.newest("billing.meter", event_name=event["event_name"]))
    errors = [{"identifier": identifier, "code": code}]
    return meter_errors.report(env, meter, errors, since=event["created"])


@route("POST", "/v1/billing/meter_event_adjustments", CANCEL)
def adjust(env: StripeEnvironment, params: Record) -> Record:
    """Cancel an event, once, within 24 hours of receiving it. Final invoices do not change."""
    _meter(env, params["event_name"])
    identifier = (params.get("cancel") or {}).get("identifier")
    if not identifier:
        message = "Missing required param: cancel[identifier]."
        raise bad_parameter(message, "parameter_missing", "cancel[identifier]")
    event = next(env.store.newest("billing.meter_event", identifier=identifier), None)
    if event is None or event["_rejected"] or event["event_name"] != params["event_name"]:
        message = f"No meter event found with identifier {identifier}."
        raise StripeFailure(message, code="resource_missing", param="cancel[identifier]")
    if event["created"] + DAY <= env.now():
        message = "You can only cancel events within 24 hours of Stripe receiving them."
        raise StripeFailure(message, param="cancel[identifier]")
    if event["_cancelled"]:
        message = f"The meter event with identifier {identifier} has already been canceled."
        raise StripeFailure(message, param="cancel[identifier]")
    env.store.replace(event, _cancelled=True)
    refresh_drafts(env, event["_customer"])
    return {
        "object": "billing.meter_event_adjustment",
        "cancel": {"identifier": identifier},
        "event_name": params["event_name"],
        "livemode": False,
        "status": "pending",
        "type": "cancel",
    }


@presents("billing.meter_event")
def present_meter_event(store: Store, record: Record) -> Record:
    return without_ours(record)


def _meter(env: StripeEnvironment, event_name: str) -> Record:
    meter = active_meter(env, event_name)
    if meter:
        return meter
    if next(env.store.newest("billing.meter", event_name=event_name), None):
        message = f'The meter for event name "{event_name}" is archived.'
        raise StripeFailure(message, code="archived_meter", param="event_name")
    message = f'No active meter found for event name "{event_name}"'
    raise StripeFailure(message, code="resource_missing", param="event_name")


def _payload(params: Record, key: str) -> str:
    value: str = params["payload"].get(key, "")
    if not value:
        name = f"payload[{key}]"
        raise bad_parameter(f"Missing required param: {name}.", "parameter_missing", name)
    return value


def _check_value(params: Record, meter: Record) -> None:
    key = meter["value_settings"]["event_payload_key"]
    value = _payload(params, key)
    if not re.fullmatch(r"-?\d{1,15}", value):
        message = f"Invalid value '{value}' for meter event: only whole numbers are accepted."
        raise StripeFailure(message, code="meter_event_invalid_value", param=f"payload[{key}]")


def _check_timestamp(env: StripeEnvironment, params: Record) -> None:
    now = env.now()
    timestamp: Any = params.get("timestamp", now)
    if timestamp < now - 35 * DAY:
        message = "The timestamp must be within the past 35 calendar days."
        raise StripeFailure(message, code="timestamp_too_far_in_past", param="timestamp")
    if timestamp > now + 5 * MINUTE:
        message = "The timestamp must be at most 5 minutes in the future."
        raise StripeFailure(message, code="timestamp_in_future", param="timestamp")


def _reject_repeated(env: StripeEnvironment, identifier: str) -> None:
    """Raise the error of an identifier that is remembered. Stripe gives it no code, only a message."""
    known = next(env.store.newest("billing.meter_event", identifier=identifier), None)
    if known and known["created"] + env.identifier_seconds > env.now():
        raise StripeFailure(f"An event already exists with identifier {identifier}.")
