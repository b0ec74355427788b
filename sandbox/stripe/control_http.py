"""The control API under `/_sandbox/`, in JSON."""

import json
from dataclasses import asdict
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from sandbox.stripe.control import Control
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.render import present


def blueprint(env: StripeEnvironment, control: Control) -> Blueprint:
    """Build all control endpoints; an invalid request is answered with 400 and a message."""
    routes = Blueprint("control", __name__, url_prefix="/_sandbox")

    @routes.errorhandler(StripeFailure)
    @routes.errorhandler(ValueError)
    @routes.errorhandler(TypeError)
    def reject(error: Exception) -> ResponseReturnValue:
        return jsonify(error=str(error)), 400

    @routes.get("/health")
    def health() -> ResponseReturnValue:
        return jsonify(ok=True)

    @routes.get("/clock")
    def show_clock() -> ResponseReturnValue:
        return jsonify(now=control.now(), offset=env.clock.offset)

    @routes.post("/clock")
    def move_clock() -> ResponseReturnValue:
        body = _body()
        if "set_to" in body:
            return jsonify(control.set_to(int(body["set_to"])))
        return jsonify(control.advance(int(body.get("advance_seconds", 0))))

    @routes.post("/reset")
    def reset() -> ResponseReturnValue:
        control.reset()
        return jsonify(ok=True)

    @routes.get("/state")
    def state() -> ResponseReturnValue:
        return jsonify(control.state())

    @routes.get("/faults")
    def list_faults() -> ResponseReturnValue:
        return jsonify(control.faults())

    @routes.post("/faults")
    def add_fault() -> ResponseReturnValue:
        return jsonify(asdict(control.add_fault(**_body()))), 201

    @routes.delete("/faults")
    def clear_faults() -> ResponseReturnValue:
        control.clear_faults()
        return jsonify(ok=True)

    @routes.get("/requests")
    def requests() -> ResponseReturnValue:
        return jsonify(control.requests())

    @routes.get("/deliveries")
    def deliveries() -> ResponseReturnValue:
        return jsonify(control.deliveries())

    @routes.post("/deliveries/flush")
    def flush() -> ResponseReturnValue:
        pending = control.flush(float(_body().get("timeout", 10)))
        return jsonify(pending=pending), 200 if not pending else 504

    @routes.get("/meter_events")
    def meter_events() -> ResponseReturnValue:
        return jsonify(control.meter_events())

    @routes.post("/identifiers")
    def forget_identifiers() -> ResponseReturnValue:
        age = control.forget_identifiers(after=int(_body()["forget_after_seconds"]))
        return jsonify(forget_after_seconds=age)

    @routes.post("/webhook_endpoints")
    def add_webhook() -> ResponseReturnValue:
        body = _body()
        events = tuple(body.get("enabled_events", ["*"]))
        return jsonify(control.add_webhook(body["url"], events=events, secret=body.get("secret"))), 201

    @routes.post("/payment_methods/<id>")
    def set_card(id: str) -> ResponseReturnValue:
        control.set_card(id, _body().get("behavior", ""))
        return jsonify(ok=True)

    @routes.post("/intents/<id>/authenticate")
    def authenticate(id: str) -> ResponseReturnValue:
        return jsonify(control.authenticate(id, success=bool(_body().get("success", True))))

    @routes.post("/checkout/<id>/complete")
    def complete(id: str) -> ResponseReturnValue:
        names = ("number", "email", "passed")
        chosen = {name: value for name, value in _body().items() if name in names}
        return jsonify(control.complete_checkout(id, **chosen))

    @routes.post("/seed")
    def seed() -> ResponseReturnValue:
        body = _body()
        prices = tuple(body.pop("prices", ()))
        numbers = {name: int(value) for name, value in body.items()}
        return jsonify(control.seed(**numbers, prices=prices)), 201

    @routes.post("/meter_errors")
    def report_meter_error() -> ResponseReturnValue:
        return jsonify(control.report_meter_error(**_body())), 201

    @routes.post("/charges/<id>/dispute")
    def dispute(id: str) -> ResponseReturnValue:
        body = _body()
        amount = int(body["amount"]) if body.get("amount") else None
        return jsonify(control.dispute(id, body.get("reason", "fraudulent"), amount=amount)), 201

    @routes.post("/disputes/<id>/close")
    def close_dispute(id: str) -> ResponseReturnValue:
        return jsonify(control.close_dispute(id, won=bool(_body().get("won", False))))

    @routes.get("/objects/<id>")
    def show(id: str) -> ResponseReturnValue:
        with env.store.lock:
            record = env.store.find(id)
            # A stored response of an idempotency key is no object, and may hold a webhook's secret.
            if record is None or record["object"].startswith("sandbox.") and "body" in record:
                return jsonify(error=f"nothing has the id {id}"), 404
            return jsonify(present(env.store, record))

    return routes


def _body() -> dict[str, Any]:
    """Read JSON whatever its content type (curl sends it as a form), or form fields."""
    text = request.get_data(as_text=True)
    body = json.loads(text) if text.startswith("{") else request.form.to_dict()
    return dict(body)
