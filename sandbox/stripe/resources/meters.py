"""/v1/billing/meters, and their summaries."""

from sandbox.stripe.billing.usage import used_by_window
from sandbox.stripe.clock import DAY, HOUR, MINUTE
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure, bad_parameter
from sandbox.stripe.ids import new_id
from sandbox.stripe.paging import page
from sandbox.stripe.params import LIST, Choice, Field, Integer, Required, Shape, Text
from sandbox.stripe.render import listed
from sandbox.stripe.routing import route
from sandbox.stripe.store import Record

CREATE: dict[str, Field] = {
    "display_name": Required(Text(250)),
    "event_name": Required(Text(100)),
    "default_aggregation": Required(Shape({"formula": Required(Choice(("count", "last", "sum")))})),
    "customer_mapping": Shape(
        {"event_payload_key": Required(Text(100)), "type": Required(Choice(("by_id",)))}
    ),
    "event_time_window": Choice(("day", "hour")),
    "value_settings": Shape({"event_payload_key": Required(Text(100))}),
}
SUMMARIES: dict[str, Field] = {
    "customer": Required(Text()),
    "start_time": Required(Integer(0)),
    "end_time": Required(Integer(0)),
    "value_grouping_window": Choice(("day", "hour")),
    "limit": LIST["limit"],
    "starting_after": Text(),
    "ending_before": Text(),
}


@route("POST", "/v1/billing/meters", CREATE)
def create(env: StripeEnvironment, params: Record) -> Record:
    """Create a meter; an event name belongs to one active meter."""
    if active_meter(env, params["event_name"]):
        message = f"An active meter already exists for event name {params['event_name']}."
        raise StripeFailure(message, param="event_name")
    return env.add(
        "billing.meter",
        new_id("mtr_test"),
        event="billing.meter.created",
        customer_mapping=params.get("customer_mapping")
        or {"event_payload_key": "stripe_customer_id", "type": "by_id"},
        default_aggregation=params["default_aggregation"],
        display_name=params["display_name"],
        event_name=params["event_name"],
        event_time_window=params.get("event_time_window"),
        status="active",
        status_transitions={"deactivated_at": None},
        updated=env.now(),
        value_settings=params.get("value_settings") or {"event_payload_key": "value"},
    )


def active_meter(env: StripeEnvironment, event_name: str) -> Record | None:
    found = env.store.newest("billing.meter", event_name=event_name)
    return next((meter for meter in found if meter["status"] == "active"), None)


@route("GET", "/v1/billing/meters", {**LIST, "status": Choice(("active", "inactive"))})
def list_all(env: StripeEnvironment, params: Record) -> Record:
    def keep(meter: Record) -> bool:
        return params.get("status") in (None, meter["status"])

    return page(env.store, "billing.meter", params, "/v1/billing/meters", keep=keep)


@route("GET", "/v1/billing/meters/{id}")
def retrieve(env: StripeEnvironment, params: Record, id: str) -> Record:
    return env.require("billing.meter", id)


@route("POST", "/v1/billing/meters/{id}", {"display_name": Text(250)})
def update(env: StripeEnvironment, params: Record, id: str) -> Record:
    meter = env.require("billing.meter", id)
    name = params.get("display_name") or meter["display_name"]
    return env.change(meter, "billing.meter.updated", display_name=name, updated=env.now())


@route("POST", "/v1/billing/meters/{id}/deactivate")
def deactivate(env: StripeEnvironment, params: Record, id: str) -> Record:
    meter = env.require("billing.meter", id)
    now = env.now()
    changes = {"status": "inactive", "status_transitions": {"deactivated_at": now}, "updated": now}
    return env.change(meter, "billing.meter.deactivated", **changes)


@route("POST", "/v1/billing/meters/{id}/reactivate")
def reactivate(env: StripeEnvironment, params: Record, id: str) -> Record:
    meter = env.require("billing.meter", id)
    if active_meter(env, meter["event_name"]) not in (None, meter):
        message = f"An active meter already exists for event name {meter['event_name']}."
        raise StripeFailure(message, param="event_name")
    changes = {"status": "active", "status_transitions": {"deactivated_at": None}, "updated": env.now()}
    return env.change(meter, "billing.meter.reactivated", **changes)


@route("GET", "/v1/billing/meters/{id}/event_summaries", SUMMARIES)
def list_event_summaries(env: StripeEnvironment, params: Record, id: str) -> Record:
    """Return one summary for the span, or one per hour or day, newest first."""
    meter = env.require("billing.meter", id)
    env.require("customer", params["customer"], "customer")
    window = {"hour": HOUR, "day": DAY}.get(params.get("value_grouping_window", ""), MINUTE)
    for name in ("start_time", "end_time"):
        if params[name] % window:
            unit = {HOUR: "hour", DAY: "day"}.get(window, "minute")
            message = f"{name} must be aligned with {unit} boundaries."
            raise bad_parameter(message, None, name)
    if params["end_time"] <= params["start_time"]:
        raise bad_parameter("end_time must be after start_time.", None, "end_time")
    first, last, customer = params["start_time"], params["end_time"], params["customer"]
    # Without a grouping there is one summary; its bounds are whole minutes.
    if window == MINUTE:
        window = last - first
    counts = used_by_window(env.store, meter, customer, first, last, window)
    summaries = [
        _summary(meter, customer, start, start + window, counts.get(start, 0))
        for start in range(last - window, first - 1, -window)
    ]
    url = f"/v1/billing/meters/{id}/event_summaries"
    return _cut(summaries, params, url)


def _summary(meter: Record, customer: str, start: int, end: int, value: int) -> Record:
    return {
        "id": f"mtrusg_{meter['id'][-8:]}_{customer[-8:]}_{start}_{end}",
        "object": "billing.meter_event_summary",
        "aggregated_value": value,
        "end_time": end,
        "livemode": False,
        "meter": meter["id"],
        "start_time": start,
    }


def _cut(summaries: list[Record], params: Record, url: str) -> Record:
    ids = [summary["id"] for summary in summaries]
    limit = params.get("limit", 10)
    if params.get("ending_before") in ids:
        rest = summaries[: ids.index(params["ending_before"])]
        return listed(url, rest[-limit:], has_more=len(rest) > limit)
    start = ids.index(params["starting_after"]) + 1 if params.get("starting_after") in ids else 0
    rest = summaries[start:]
    return listed(url, rest[:limit], has_more=len(rest) > limit)
