"""Checkout, the portal and an invoice in a browser: `/checkout/<id>`, `/portal/<id>`, `/invoice/<id>`."""

from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.stripe import hosted, words
from sandbox.stripe.billing.collection import default_method
from sandbox.stripe.control import Control
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.pdf import invoice_document
from sandbox.stripe.resources import subscriptions
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
            return redirect(_after(session) or url_for("hosted.portal", id=id))

    @routes.get("/invoice/<id>")
    def invoice(id: str) -> ResponseReturnValue:
        with world.store.lock:
            return _invoice_page(world, _final(world, id))

    @routes.get("/invoice/<id>/pdf")
    def invoice_pdf(id: str) -> ResponseReturnValue:
        with world.store.lock:
            found = _final(world, id)
            body = invoice_document(words.invoice(world.store, found))
        name = f'inline; filename="{found["number"]}.pdf"'
        return Response(body, mimetype="application/pdf", headers={"Content-Disposition": name})

    @routes.post("/invoice/<id>")
    def pay_invoice(id: str) -> ResponseReturnValue:
        """Form field `do`: pay (with the card on file) or pay_new (with `number`)."""
        with world.store.lock:
            found = _final(world, id)
            number = request.form.get("number") if request.form.get("do") == "pay_new" else None
            try:
                with control.acting():
                    hosted.pay_invoice(world, found, number=number, passed=_passed())
            except hosted.PersonNeeded:
                return render_template("challenge.html", form=request.form, back=request.path)
            except StripeFailure as failure:
                return _invoice_page(world, _final(world, id), str(failure)), 402
            return redirect(url_for("hosted.invoice", id=id))

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
            hosted.pay_invoice(world, record, passed=_passed())
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


def _after(session: Record) -> str | None:
    """Where a flow leads when it is done."""
    done = (session["flow"] or {}).get("after_completion") or {}
    return (done.get("redirect") or {}).get("return_url")


def _final(world: World, id: str) -> Record:
    """An invoice that has a page: every one but drafts."""
    found = _find(world, "invoice", id)
    if found.get("deleted") or found["status"] == "draft":
        abort(404)
    return found


def _checkout_page(world: World, session: Record, error: str | None = None) -> str:
    store = world.store
    items = [
        {
            "name": item["description"],
            "price": words.price(store, item),
            "due": words.money(item["amount_total"], item["currency"]),
        }
        for item in session["_items"]
    ]
    customer = store.find(session["customer"]) if session["customer"] else None
    return render_template(
        "checkout.html",
        session=session,
        items=items,
        due=words.money(session["amount_total"] or 0, session["currency"] or "usd"),
        email=customer["email"] if customer else session["customer_email"],
        error=error,
    )


def _invoice_page(world: World, record: Record, error: str | None = None) -> str:
    return render_template(
        "invoice.html",
        invoice=words.invoice(world.store, record),
        payable=record["status"] in ("open", "uncollectible"),
        card=words.card(default_method(world, record)),
        error=error,
    )


def _portal_page(world: World, session: Record, error: str | None = None) -> str:
    store, customer = world.store, world.require("customer", session["customer"])
    mine: dict[str, Any] = {
        kind: list(store.newest(kind, customer=customer["id"]))
        for kind in ("subscription", "payment_method", "invoice")
    }
    default = customer["invoice_settings"]["default_payment_method"]
    return render_template(
        "portal.html",
        session=session,
        customer=customer,
        plans=[words.plan(store, each) for each in mine["subscription"]],
        cards=[
            {"name": words.card(each), "default": each["id"] == default} for each in mine["payment_method"]
        ],
        invoices=[words.invoice(store, each) for each in mine["invoice"] if each["status"] != "draft"],
        error=error,
    )
