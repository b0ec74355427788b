"""Checkout, the portal and an invoice in a browser: `/checkout/<id>`, `/portal/<id>`, `/invoice/<id>`."""

from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.stripe import descriptions, hosted
from sandbox.stripe.billing.collection import default_method
from sandbox.stripe.control import Control
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.pdf import invoice_document
from sandbox.stripe.resources import subscriptions
from sandbox.stripe.store import Record


def blueprint(env: StripeEnvironment, control: Control) -> Blueprint:
    routes = Blueprint("hosted", __name__)

    @routes.get("/checkout/<id>")
    def checkout(id: str) -> ResponseReturnValue:
        with env.store.lock:
            session = _find(env, "checkout.session", id)
            if session["status"] == "complete":
                return redirect(_success(session))
            return _checkout_page(env, session)

    @routes.post("/checkout/<id>")
    def pay(id: str) -> ResponseReturnValue:
        with env.store.lock:
            session = _find(env, "checkout.session", id)
            form = request.form
            try:
                with control.acting():
                    done = hosted.complete_checkout(
                        env,
                        session,
                        number=form.get("number", ""),
                        email=form.get("email"),
                        passed=_passed(),
                    )
            except hosted.PersonNeeded:
                return render_template("challenge.html", form=form, back=request.path)
            except StripeFailure as failure:
                return _checkout_page(env, session, str(failure)), 402
            return redirect(_success(done))

    @routes.get("/portal/<id>")
    def portal(id: str) -> ResponseReturnValue:
        with env.store.lock:
            return _portal_page(env, _find(env, "billing_portal.session", id))

    @routes.post("/portal/<id>")
    def act(id: str) -> ResponseReturnValue:
        """Form field `do`: card, cancel, resume or pay; `subject` is the subscription's or invoice's id."""
        with env.store.lock:
            session = _find(env, "billing_portal.session", id)
            try:
                with control.acting():
                    _act(env, session, request.form.get("do", ""), request.form.get("subject", ""))
            except hosted.PersonNeeded:
                return render_template("challenge.html", form=request.form, back=request.path)
            except StripeFailure as failure:
                return _portal_page(env, session, str(failure)), 402
            return redirect(_after(session) or url_for("hosted.portal", id=id))

    @routes.get("/invoice/<id>")
    def invoice(id: str) -> ResponseReturnValue:
        with env.store.lock:
            return _invoice_page(env, _final(env, id))

    @routes.get("/invoice/<id>/pdf")
    def invoice_pdf(id: str) -> ResponseReturnValue:
        with env.store.lock:
            found = _final(env, id)
            body = invoice_document(descriptions.invoice(env.store, found))
        name = f'inline; filename="{found["number"]}.pdf"'
        return Response(body, mimetype="application/pdf", headers={"Content-Disposition": name})

    @routes.post("/invoice/<id>")
    def pay_invoice(id: str) -> ResponseReturnValue:
        """Form field `do`: pay (with the card on file) or pay_new (with `number`)."""
        with env.store.lock:
            found = _final(env, id)
            number = request.form.get("number") if request.form.get("do") == "pay_new" else None
            try:
                with control.acting():
                    hosted.pay_invoice(env, found, number=number, passed=_passed())
            except hosted.PersonNeeded:
                return render_template("challenge.html", form=request.form, back=request.path)
            except StripeFailure as failure:
                return _invoice_page(env, _final(env, id), str(failure)), 402
            return redirect(url_for("hosted.invoice", id=id))

    return routes


NEEDED_FEATURE = {
    "card": "payment_method_update",
    "cancel": "subscription_cancel",
    "resume": "subscription_cancel",
    "pay": "invoice_history",
}


def _list_features(env: StripeEnvironment, session: Record) -> Record:
    """Return the features of the session's configuration, by name."""
    features: Record = env.require("billing_portal.configuration", session["configuration"])["features"]
    return features


def _act(env: StripeEnvironment, session: Record, do: str, subject: str) -> None:
    customer = env.require("customer", session["customer"])
    feature = NEEDED_FEATURE.get(do)
    if feature and not _list_features(env, session)[feature]["enabled"]:
        abort(403)
    if do == "card":
        hosted.replace_card(env, customer, number=request.form.get("number", ""), passed=_passed())
        return
    record = env.store.find(subject) or {}
    if record.get("customer") != customer["id"]:
        abort(404)
    match do:
        case "cancel" | "resume":
            subscriptions.update(env, _end_of_plan(env.require("subscription", subject), do), subject)
        case "pay":
            hosted.pay_invoice(env, record, passed=_passed())
        case _:
            abort(400)


def _end_of_plan(subscription: Record, do: str) -> Record:
    """Return the change that Stripe's portal makes: in flexible billing mode, of `cancel_at` alone.

    Source: https://docs.stripe.com/billing/subscriptions/billing-mode/compare
    """
    if subscription["billing_mode"]["type"] == "classic":
        return {"cancel_at_period_end": do == "cancel"}
    last = max(item["current_period_end"] for item in subscription["items"]["data"])
    return {"cancel_at": last if do == "cancel" else ""}


def _passed() -> bool | None:
    answer = request.form.get("passed")
    return None if answer is None else answer == "yes"


def _find(env: StripeEnvironment, kind: str, id: str) -> Record:
    found = env.store.get(kind, id)
    if found is None:
        abort(404)
    return found


def _success(session: Record) -> str:
    url: str = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _after(session: Record) -> str | None:
    """Return where a finished flow redirects to."""
    done = (session["flow"] or {}).get("after_completion") or {}
    return (done.get("redirect") or {}).get("return_url")


def _final(env: StripeEnvironment, id: str) -> Record:
    """Return an invoice that has a page: any except drafts."""
    found = _find(env, "invoice", id)
    if found.get("deleted") or found["status"] == "draft":
        abort(404)
    return found


def _checkout_page(env: StripeEnvironment, session: Record, error: str | None = None) -> str:
    store = env.store
    items = [
        {
            "name": item["description"],
            "price": descriptions.price(store, item),
            "due": descriptions.money(item["amount_total"], item["currency"]),
        }
        for item in session["_items"]
    ]
    customer = store.find(session["customer"]) if session["customer"] else None
    return render_template(
        "checkout.html",
        session=session,
        items=items,
        due=descriptions.money(session["amount_total"] or 0, session["currency"] or "usd"),
        email=customer["email"] if customer else session["customer_email"],
        error=error,
    )


def _invoice_page(env: StripeEnvironment, record: Record, error: str | None = None) -> str:
    return render_template(
        "invoice.html",
        invoice=descriptions.invoice(env.store, record),
        payable=record["status"] in ("open", "uncollectible"),
        card=descriptions.card(default_method(env, record)),
        error=error,
    )


def _portal_page(env: StripeEnvironment, session: Record, error: str | None = None) -> str:
    store, customer = env.store, env.require("customer", session["customer"])
    mine: dict[str, Any] = {
        kind: list(store.newest(kind, customer=customer["id"]))
        for kind in ("subscription", "payment_method", "invoice")
    }
    default = customer["invoice_settings"]["default_payment_method"]
    return render_template(
        "portal.html",
        session=session,
        customer=customer,
        features=_list_features(env, session),
        plans=[descriptions.plan(store, each) for each in mine["subscription"]],
        cards=[
            {"name": descriptions.card(each), "default": each["id"] == default}
            for each in mine["payment_method"]
        ],
        invoices=[descriptions.invoice(store, each) for each in mine["invoice"] if each["status"] != "draft"],
        error=error,
    )
