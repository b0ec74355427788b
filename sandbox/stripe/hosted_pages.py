"""Checkout and the customer portal in a browser, at `/checkout/<session>` and `/portal/<session>`."""

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.stripe import hosted
from sandbox.stripe.control import Control
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.render import present
from sandbox.stripe.resources import invoices, subscriptions
from sandbox.stripe.store import Record
from sandbox.stripe.world import World


def blueprint(world: World, control: Control) -> Blueprint:
    routes = Blueprint("hosted", __name__)

    @routes.get("/checkout/<id>")
    def checkout(id: str) -> ResponseReturnValue:
        with world.store.lock:
            session = _find(world, "checkout.session", id)
            if session["status"] == "complete":
                return redirect(_success(session))
            return _checkout_page(world, session)

    @routes.post("/checkout/<id>")
    def pay(id: str) -> ResponseReturnValue:
        with world.store.lock:
            session = _find(world, "checkout.session", id)
            form = request.form
            try:
                with control.acting():
                    done = hosted.complete_checkout(
                        world,
                        session,
                        number=form.get("number", ""),
                        email=form.get("email"),
                        passed=_passed(),
                    )
            except hosted.PersonNeeded:
                return render_template("challenge.html", form=form, back=request.path)
            except StripeFailure as failure:
                return _checkout_page(world, session, str(failure)), 402
            return redirect(_success(done))

    @routes.get("/portal/<id>")
    def portal(id: str) -> ResponseReturnValue:
        with world.store.lock:
            return _portal_page(world, _find(world, "billing_portal.session", id))

    @routes.post("/portal/<id>")
    def act(id: str) -> ResponseReturnValue:
        """Form field `do`: card, cancel, resume or pay; `subject` is the subscription's or invoice's id."""
        with world.store.lock:
            session = _find(world, "billing_portal.session", id)
            try:
                with control.acting():
                    _act(world, session, request.form.get("do", ""), request.form.get("subject", ""))
            except hosted.PersonNeeded:
                return render_template("challenge.html", form=request.form, back=request.path)
            except StripeFailure as failure:
                return _portal_page(world, session, str(failure)), 402
            return redirect(url_for("hosted.portal", id=id))

    return routes


def _act(world: World, session: Record, do: str, subject: str) -> None:
    customer = world.require("customer", session["customer"])
    if do == "card":
        hosted.replace_card(world, customer, number=request.form.get("number", ""), passed=_passed())
        return
    record = world.store.find(subject) or {}
    if record.get("customer") != customer["id"]:
        abort(404)
    match do:
        case "cancel" | "resume":
            subscriptions.update(world, {"cancel_at_period_end": do == "cancel"}, subject)
        case "pay":
            invoices.pay(world, {}, subject)
        case _:
            abort(400)


def _passed() -> bool | None:
    answer = request.form.get("passed")
    return None if answer is None else answer == "yes"


def _find(world: World, kind: str, id: str) -> Record:
    found = world.store.get(kind, id)
    if found is None:
        abort(404)
    return found


def _success(session: Record) -> str:
    url: str = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _checkout_page(world: World, session: Record, error: str | None = None) -> str:
    items = [{**item, "price": world.store.find(item["price"])} for item in session["_items"]]
    customer = world.store.find(session["customer"]) if session["customer"] else None
    email = customer["email"] if customer else session["customer_email"]
    return render_template("checkout.html", session=session, items=items, email=email, error=error)


def _portal_page(world: World, session: Record, error: str | None = None) -> str:
    store, customer = world.store, world.require("customer", session["customer"])
    found: dict[str, Any] = {
        kind: [present(store, each) for each in store.newest(kind, customer=customer["id"])]
        for kind in ("subscription", "payment_method", "invoice")
    }
    return render_template(
        "portal.html",
        session=session,
        customer=customer,
        subscriptions=found["subscription"],
        methods=found["payment_method"],
        invoices=found["invoice"],
        error=error,
    )
