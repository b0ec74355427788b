"""The control API over HTTP, the sandbox's own page, and state that survives a restart."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import stripe

from sandbox.stripe.server import StripeSandbox
from tests.sandbox.stripe.receiver import Receiver
from tests.sandbox.stripe.shop import KEY, Shop


def call(sandbox: StripeSandbox, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        sandbox.url + path, data, {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def read(url: str, form: dict[str, str] | None = None) -> str:
    data = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(url, data) as answer:
        return str(answer.read().decode())


class TestHttp:
    def test_is_healthy(self, sandbox: StripeSandbox) -> None:
        assert call(sandbox, "GET", "/_sandbox/health") == {"ok": True}

    def test_moves_the_clock(self, sandbox: StripeSandbox) -> None:
        before = call(sandbox, "GET", "/_sandbox/clock")["now"]
        moved = call(sandbox, "POST", "/_sandbox/clock", {"advance_seconds": 3600})
        assert 3600 <= moved["now"] - before <= 3602

    def test_rejects_to_go_back(self, sandbox: StripeSandbox) -> None:
        with pytest.raises(urllib.error.HTTPError, match="400") as rejected:
            call(sandbox, "POST", "/_sandbox/clock", {"set_to": 1})
        rejected.value.close()

    def test_adds_and_clears_faults(self, sandbox: StripeSandbox) -> None:
        call(sandbox, "POST", "/_sandbox/faults", {"kind": "status", "status": 429, "times": None})
        assert [fault["status"] for fault in call(sandbox, "GET", "/_sandbox/faults")] == [429]
        call(sandbox, "DELETE", "/_sandbox/faults")
        assert call(sandbox, "GET", "/_sandbox/faults") == []

    def test_reads_json_that_curl_calls_a_form(self, sandbox: StripeSandbox) -> None:
        with urllib.request.urlopen(f"{sandbox.url}/_sandbox/faults", b'{"kind": "latency"}') as answer:
            assert answer.status == 201

    def test_counts_and_forgets(self, sandbox: StripeSandbox, shop: Shop) -> None:
        shop.customer(card=None)
        assert call(sandbox, "GET", "/_sandbox/state")["customer"] == 1
        call(sandbox, "POST", "/_sandbox/reset")
        assert call(sandbox, "GET", "/_sandbox/state") == {}

    def test_logs_requests_without_secrets(self, sandbox: StripeSandbox, shop: Shop) -> None:
        shop.v1.customers.create({"email": "ada@example.com"}, {"idempotency_key": "order-1"})
        log = call(sandbox, "GET", "/_sandbox/requests")
        assert (log[0]["method"], log[0]["path"]) == ("POST", "/v1/customers")
        assert (log[0]["idempotency_key"], log[0]["status"]) == ("order-1", 200)
        assert KEY not in json.dumps(log)

    def test_shows_reported_usage(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        shop.fix(ada, 2, identifier="fix-1")
        (event,) = call(sandbox, "GET", "/_sandbox/meter_events")
        assert (event["identifier"], event["customer"], event["payload"]["value"]) == ("fix-1", ada.id, "2")

    def test_forgets_identifiers(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        shop.fix(ada, identifier="fix-1")
        assert call(sandbox, "POST", "/_sandbox/identifiers", {"forget_after_seconds": 0})
        assert shop.fix(ada, identifier="fix-1").identifier == "fix-1"

    def test_seeds_many(self, sandbox: StripeSandbox, shop: Shop) -> None:
        wish = {"subscriptions": 3, "events_each": 2, "prices": [shop.by_the_piece.lookup_key]}
        made = call(sandbox, "POST", "/_sandbox/seed", wish)
        state = sandbox.control.state()
        assert len(made["customers"]) == state["subscription"] == 3
        assert state["billing.meter_event"] == 6

    def test_reports_wrong_usage(self, sandbox: StripeSandbox, shop: Shop) -> None:
        shop.fix(shop.customer(), identifier="fix-1")
        wish = {"identifier": "fix-1", "code": "archived_meter"}
        event = call(sandbox, "POST", "/_sandbox/meter_errors", wish)
        assert event["data"]["reason"]["error_types"][0]["code"] == "archived_meter"

    def test_disputes_a_charge(self, sandbox: StripeSandbox, shop: Shop) -> None:
        shop.subscribe(shop.customer(), shop.monthly)
        charge = sandbox.control.objects("charge")[0]["id"]
        opened = call(sandbox, "POST", f"/_sandbox/charges/{charge}/dispute", {"reason": "duplicate"})
        closed = call(sandbox, "POST", f"/_sandbox/disputes/{opened['id']}/close", {"won": True})
        assert (opened["reason"], closed["status"]) == ("duplicate", "won")

    def test_flushes_deliveries(self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver) -> None:
        endpoint = {"url": receiver.url, "secret": "whsec_chosen"}
        assert call(sandbox, "POST", "/_sandbox/webhook_endpoints", endpoint)["secret"] == "whsec_chosen"
        shop.customer(card=None)
        assert call(sandbox, "POST", "/_sandbox/deliveries/flush", {"timeout": 5}) == {"pending": 0}
        assert call(sandbox, "GET", "/_sandbox/deliveries")[0]["status"] == "delivered"


class TestPages:
    def test_overview_shows_what_happened(self, sandbox: StripeSandbox, shop: Shop) -> None:
        shop.subscribe(shop.customer(), shop.monthly)
        sandbox.control.add_fault("status", path="/v1/nowhere")
        page = read(sandbox.url)
        assert "invoice.paid" in page
        assert "/v1/nowhere" in page

    def test_kinds_link_to_objects(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        assert f"/objects/{ada.id}" in read(f"{sandbox.url}/kinds/customer")
        assert json.loads(read(f"{sandbox.url}/_sandbox/objects/{ada.id}"))["email"] == "ada@example.com"

    def test_everything_is_found(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        shop.fix(ada, identifier="fix-1")
        for sought in (ada.id, ada.email):
            page = read(f"{sandbox.url}/find?id={sought}")
            assert ada.id in page and "customer.created" in page
        assert "billing.meter_event" in read(f"{sandbox.url}/find?id=fix-1")
        assert "Nothing is called nobody" in read(f"{sandbox.url}/find?id=nobody")

    def test_an_object_leads_to_others(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        card = ada.invoice_settings.default_payment_method
        assert f'href="/objects/{card}"' in read(f"{sandbox.url}/objects/{ada.id}")

    def test_a_delivery_tells_its_attempts(
        self, sandbox: StripeSandbox, shop: Shop, receiver: Receiver
    ) -> None:
        receiver.answers = [503]
        sandbox.control.add_webhook(receiver.url)
        shop.v1.customers.create({})
        sandbox.control.flush()
        (delivery,) = sandbox.control.deliveries()
        assert [each["code"] for each in delivery["answers"]] == [503, 200]
        page = read(f"{sandbox.url}/objects/{delivery['id']}")
        assert "503" in page and delivery["event"] in page

    def test_long_lists_are_paged(self, sandbox: StripeSandbox) -> None:
        made = sandbox.control.seed(subscriptions=51)["customers"]
        first = read(f"{sandbox.url}/kinds/customer")
        assert made[-1] in first and made[0] not in first
        older = re.search(r'href="([^"]*before=[^"]*)"', first)
        assert older and made[0] in read(sandbox.url + older[1].replace("&amp;", "&"))

    def test_the_form_moves_the_clock(self, sandbox: StripeSandbox) -> None:
        before = sandbox.control.now()
        assert "Stripe sandbox" in read(f"{sandbox.url}/clock", {"by": "month"})
        assert 28 * 86400 <= sandbox.control.now() - before <= 31 * 86400 + 2

    def test_mails_can_be_read(self, tmp_path: Path) -> None:
        divider = "-" * 79 + "\n"
        first = "Subject: Welcome\nFrom: a@example.com\nTo: ada@example.com\n\nSee https://example.com/x\n"
        second = first.replace("Welcome", "Goodbye")
        (tmp_path / "20260101-1.log").write_text(first + divider + second + divider)
        with StripeSandbox(mail_dir=str(tmp_path)) as stripe_sandbox:
            page = read(stripe_sandbox.url)
            assert page.index("Goodbye") < page.index("Welcome")
            mail = read(f"{stripe_sandbox.url}/mails/20260101-1-0")
        assert '<a href="https://example.com/x"' in mail


class TestRestart:
    def test_everything_is_still_there(self, tmp_path: Path) -> None:
        state = str(tmp_path / "stripe.sqlite3")
        with StripeSandbox(state=state) as first:
            shop = Shop(stripe.StripeClient(KEY, base_addresses={"api": first.url}))
            ada = shop.customer()
            shop.subscribe(ada, shop.by_the_piece)
            shop.fix(ada)
            once = shop.v1.customers.create({}, {"idempotency_key": "order-1"})
            first.control.advance(days=10)
        with StripeSandbox(state=state) as second:
            shop = Shop(stripe.StripeClient(KEY, base_addresses={"api": second.url}))
            assert second.control.now() >= ada.created + 10 * 86400
            second.control.advance(days=22)
            assert [invoice.total for invoice in shop.invoices(ada)] == [1500]
            assert shop.v1.customers.create({}, {"idempotency_key": "order-2"}).id != once.id

    def test_a_key_is_remembered(self, tmp_path: Path) -> None:
        ids = set()
        for _ in range(2):
            with StripeSandbox(state=str(tmp_path / "stripe.sqlite3")) as sandbox:
                shop = Shop(stripe.StripeClient(KEY, base_addresses={"api": sandbox.url}))
                ids.add(shop.v1.customers.create({}, {"idempotency_key": "order-1"}).id)
        assert len(ids) == 1


class TestSnapshot:
    def test_is_where_a_reset_begins_again(self, sandbox: StripeSandbox, shop: Shop) -> None:
        ada = shop.customer()
        sandbox.control.advance(days=1)
        snapshot, then = sandbox.control.snapshot(), sandbox.control.now()
        before = sandbox.control.state(), sandbox.control.objects("customer"), sandbox.control.events()
        shop.subscribe(ada, shop.by_the_piece)
        shop.v1.customers.delete(ada.id)
        sandbox.control.advance(days=40)
        sandbox.reset(snapshot)
        assert (
            sandbox.control.state(),
            sandbox.control.objects("customer"),
            sandbox.control.events(),
        ) == before
        assert then <= sandbox.control.now() < then + 86400
        assert sandbox.control.requests() == []

    def test_survives_a_restart_after_the_reset(self, tmp_path: Path) -> None:
        state = str(tmp_path / "stripe.sqlite3")
        with StripeSandbox(state=state) as first:
            shop = Shop(stripe.StripeClient(KEY, base_addresses={"api": first.url}))
            ada = shop.customer()
            snapshot = first.control.snapshot()
            shop.customer()
            first.reset(snapshot)
        with StripeSandbox(state=state) as second:
            assert [each["id"] for each in second.control.objects("customer")] == [ada.id]
