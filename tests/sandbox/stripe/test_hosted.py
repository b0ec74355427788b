"""Checkout and the customer portal, through the API and through the pages' forms."""

import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.shop import Shop

URLS = {
    "success_url": "https://example.com/done?id={CHECKOUT_SESSION_ID}",
    "cancel_url": "https://example.com",
}
ASKS_ONCE = "4000002500003155"


class Stay(urllib.request.HTTPRedirectHandler):
    """A handler that does not follow redirects, so that tests can read their targets."""

    def redirect_request(self, *args: Any) -> None:
        return None


def submit(url: str, **form: str) -> tuple[int, str, str]:
    """Submit a form; return status, body and Location of the response."""
    opener = urllib.request.build_opener(Stay)
    try:
        with opener.open(url, urllib.parse.urlencode(form).encode()) as answer:
            return answer.status, answer.read().decode(), ""
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode(), answer.headers.get("Location", "")


def read(url: str) -> tuple[str, str, int]:
    """Fetch a page; return content type, body and status."""
    with urllib.request.urlopen(url) as answer:
        body = answer.read()
        kind = answer.headers.get_content_type()
        return kind, body.decode("latin-1" if kind == "application/pdf" else "utf-8"), answer.status


def read_end(shop: Shop, subscription: Any) -> tuple[bool, int | None]:
    found = shop.v1.subscriptions.retrieve(subscription.id)
    return found.cancel_at_period_end, found.cancel_at


def teams(shop: Shop, **more: Any) -> Any:
    items = [{"price": shop.monthly.id, "quantity": 1}, {"price": shop.beyond_sixty.id}]
    return shop.v1.checkout.sessions.create({"mode": "subscription", "line_items": items, **URLS, **more})


class TestCheckout:
    def test_subscribes(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer(card=None)
        session = teams(shop, customer=ada.id, subscription_data={"metadata": {"plan": "teams"}})
        sandbox.control.complete_checkout(session.id)
        session = shop.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "line_items"]})
        assert (session.status, session.payment_status) == ("complete", "paid")
        assert (session.subscription.status, session.subscription.metadata.plan) == ("active", "teams")
        assert shop.invoices(ada)[0].total == 49900
        assert len(sandbox.control.events("checkout.session.completed")) == 1

    def test_makes_a_customer_when_there_is_none(self, sandbox: StripeSandbox, shop: Shop) -> None:
        session = teams(shop, customer_email="new@example.com")
        done = sandbox.control.complete_checkout(session.id)
        assert shop.v1.customers.retrieve(done["customer"]).email == "new@example.com"

    def test_a_declined_card_leaves_it_open(self, sandbox: StripeSandbox, shop: Shop) -> None:
        session = teams(shop, customer=shop.customer(card=None).id)
        with pytest.raises(Exception, match="insufficient funds"):
            sandbox.control.complete_checkout(session.id, number="4000000000009995")
        assert shop.v1.checkout.sessions.retrieve(session.id).status == "open"
        assert "subscription" not in sandbox.control.state()

    def test_quantity_on_a_metered_price_is_rejected(self, shop: Shop) -> None:
        items = [{"price": shop.by_the_piece.id, "quantity": 1}]
        with pytest.raises(stripe.InvalidRequestError, match="Quantity should not be specified"):
            shop.v1.checkout.sessions.create({"mode": "subscription", "line_items": items, **URLS})

    def test_expires_after_a_day(self, sandbox: StripeSandbox, shop: Shop) -> None:
        session = teams(shop)
        sandbox.control.advance(hours=25)
        assert shop.v1.checkout.sessions.retrieve(session.id).status == "expired"

    def test_saves_a_card(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer(card=None)
        session = shop.v1.checkout.sessions.create(
            {"mode": "setup", "customer": ada.id, "currency": "usd", **URLS}
        )
        sandbox.control.complete_checkout(session.id)
        assert shop.v1.setup_intents.retrieve(session.setup_intent).status == "succeeded"
        assert len(shop.v1.payment_methods.list({"customer": ada.id}).data) == 1

    def test_expands_what_dj_stripe_asks_for(self, shop: Shop) -> None:
        paths = ["line_items.data.discounts", "line_items.data.taxes", "total_details.breakdown"]
        session = shop.v1.checkout.sessions.retrieve(teams(shop).id, {"expand": paths})
        assert session.line_items.data[0].discounts == []
        assert session.total_details.breakdown.taxes == []


class TestCheckoutPage:
    def test_redirects_when_paid(self, shop: Shop) -> None:
        session = teams(shop)
        status, _, location = submit(session.url, number="4242424242424242", email="ada@example.com")
        assert (status, location) == (302, f"https://example.com/done?id={session.id}")

    def test_shows_why_a_card_was_declined(self, shop: Shop) -> None:
        status, body, _ = submit(teams(shop).url, number="4000000000000002", email="ada@example.com")
        assert status == 402
        assert "Your card was declined." in body

    def test_asks_the_person(self, shop: Shop) -> None:
        session = teams(shop)
        form = {"number": ASKS_ONCE, "email": "ada@example.com"}
        assert "really you" in submit(session.url, **form)[1]
        assert submit(session.url, **form, passed="yes")[0] == 302

    def test_a_card_that_asked_once_pays_by_itself(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer(card=None)
        sandbox.control.complete_checkout(teams(shop, customer=ada.id).id, number=ASKS_ONCE)
        sandbox.control.advance(days=32)
        assert [invoice.status for invoice in shop.invoices(ada)] == ["paid", "paid"]


class TestPortal:
    def open(self, shop: Shop, customer: Any) -> str:
        return str(shop.open_portal(customer, return_url="https://example.com").url)

    def test_replaces_the_card(self, shop: Shop) -> None:
        ada = shop.customer(card="pm_card_chargeCustomerFail")
        submit(self.open(shop, ada), do="card", number="5555555555554444")
        ada = shop.v1.customers.retrieve(ada.id, {"expand": ["invoice_settings.default_payment_method"]})
        assert ada.invoice_settings.default_payment_method.card.brand == "mastercard"

    @pytest.mark.parametrize("mode", ["classic", "flexible"])
    def test_cancels_and_keeps_a_plan(self, shop: Shop, mode: str) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.by_the_piece, billing_mode={"type": mode})
        url = self.open(shop, ada)
        ends_at = subscription["items"].data[0].current_period_end
        submit(url, do="cancel", subject=subscription.id)
        assert read_end(shop, subscription) == (mode == "classic", ends_at)
        submit(url, do="resume", subject=subscription.id)
        assert read_end(shop, subscription) == (False, None)

    def test_touches_nothing_of_another_customer(self, shop: Shop) -> None:
        ada, bob = shop.customer(), shop.customer()
        subscription = shop.subscribe(bob, shop.by_the_piece)
        assert submit(self.open(shop, ada), do="cancel", subject=subscription.id)[0] == 404

    def test_asks_the_person_about_an_open_invoice(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer("pm_card_authenticationRequired")
        shop.subscribe(ada, shop.monthly)
        form = {"do": "pay", "subject": shop.invoices(ada)[0].id}
        assert "really you" in submit(self.open(shop, ada), **form)[1]
        assert submit(self.open(shop, ada), **form, passed="yes")[0] == 302
        assert shop.invoices(ada)[0].status == "paid"

    def test_a_flow_leads_back_when_it_is_done(self, shop: Shop) -> None:
        ada = shop.customer()
        done = {"type": "redirect", "redirect": {"return_url": "https://example.com/done"}}
        flow = {"type": "payment_method_update", "after_completion": done}
        made = shop.open_portal(ada, flow_data=flow)
        card = {"do": "card", "number": "5555555555554444"}
        assert submit(made.url, **card)[2] == "https://example.com/done"

    def test_speaks_in_words(self, shop: Shop) -> None:
        ada = shop.customer()
        subscription = shop.subscribe(ada, shop.monthly)
        body = read(self.open(shop, ada))[1]
        assert "Fix" in body and "$499.00 a month" in body and "Visa ending in 4242" in body
        visible = re.sub(r"<[^>]*>", "", body)
        assert subscription.id not in visible and ada.id not in visible


class TestInvoicePage:
    def open_invoice(self, shop: Shop, card: str = "pm_card_chargeCustomerFail") -> Any:
        ada = shop.customer(card)
        shop.subscribe(ada, shop.monthly)
        (invoice,) = shop.invoices(ada)
        assert invoice.status == "open"
        return invoice

    def status(self, shop: Shop, invoice: Any) -> str:
        return str(shop.v1.invoices.retrieve(invoice.id).status)

    def test_is_paid_with_a_new_card(self, sandbox: StripeSandbox, shop: Shop) -> None:
        invoice = self.open_invoice(shop)
        assert "$499.00" in read(invoice.hosted_invoice_url)[1]
        form = {"do": "pay_new", "number": "4242 4242 4242 4242"}
        assert submit(invoice.hosted_invoice_url, **form)[0] == 302
        assert self.status(shop, invoice) == "paid"
        assert len(sandbox.control.events("invoice.paid")) == 1

    def test_says_why_the_card_on_file_does_not_pay(self, shop: Shop) -> None:
        invoice = self.open_invoice(shop)
        code, body, _ = submit(invoice.hosted_invoice_url, do="pay")
        assert (code, "Your card was declined." in body) == (402, True)
        assert shop.v1.invoices.retrieve(invoice.id).attempt_count == 2

    @pytest.mark.parametrize(("passed", "after"), [("yes", "paid"), ("no", "open")])
    def test_asks_the_person(self, shop: Shop, passed: str, after: str) -> None:
        invoice = self.open_invoice(shop, "pm_card_authenticationRequired")
        assert "really you" in submit(invoice.hosted_invoice_url, do="pay")[1]
        submit(invoice.hosted_invoice_url, do="pay", passed=passed)
        assert self.status(shop, invoice) == after

    def test_offers_nothing_to_pay_when_it_is_paid(self, shop: Shop) -> None:
        ada = shop.customer()
        shop.subscribe(ada, shop.monthly)
        invoice = shop.invoices(ada)[0]
        assert "<form" not in read(invoice.hosted_invoice_url)[1]
        assert submit(invoice.hosted_invoice_url, do="pay")[0] == 402

    def test_has_a_pdf(self, shop: Shop) -> None:
        invoice = self.open_invoice(shop)
        kind, body, _ = read(invoice.invoice_pdf)
        assert kind == "application/pdf"
        assert body.startswith("%PDF-") and body.endswith("%%EOF\n")
        assert invoice.number in body and r"(1 \327 Fix)" in body and "($499.00)" in body


class TestSetupIntent:
    def test_saves_a_card(self, shop: Shop) -> None:
        ada = shop.customer(card=None)
        intent = shop.v1.setup_intents.create(
            {"customer": ada.id, "payment_method": "pm_card_visa", "confirm": True}
        )
        assert intent.status == "succeeded"
        assert len(shop.v1.payment_methods.list({"customer": ada.id}).data) == 1

    def test_a_declined_card_is_not_saved(self, shop: Shop) -> None:
        ada = shop.customer(card=None)
        intent = shop.v1.setup_intents.create({"customer": ada.id})
        with pytest.raises(stripe.CardError):
            shop.v1.setup_intents.confirm(intent.id, {"payment_method": "pm_card_chargeDeclined"})
        intent = shop.v1.setup_intents.retrieve(intent.id)
        assert (intent.status, intent.last_setup_error.code) == ("requires_payment_method", "card_declined")

    def test_waits_for_the_person(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer(card=None)
        card = "pm_card_authenticationRequiredOnSetup"
        given = {"customer": ada.id, "payment_method": card, "confirm": True}
        intent = shop.v1.setup_intents.create(given)
        assert intent.status == "requires_action"
        assert sandbox.control.authenticate(intent.id)["status"] == "succeeded"
