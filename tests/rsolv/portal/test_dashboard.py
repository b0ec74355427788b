from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from djstripe.models import Customer as StripeCustomer
from djstripe.models import Invoice, Price, Product

from billing.models import BillingAccount, UsageReport
from customers.models import Customer
from customers.services.manage_keys import create_api_key, revoke_api_key
from tests.factories import UsageRecordFactory, UserFactory, make_mitigation_of
from tests.rsolv.portal.markup import Page, read_page
from tests.signup import FORM, enter_code
from tests.tenants import Browser

CREATED = datetime(2026, 3, 1, tzinfo=UTC)


def open_dashboard(browser: Client) -> Page:
    response = browser.get("/dashboard/")
    assert response.status_code == 200
    return read_page(response.text)


def read_rows(page: Page, table: str) -> list[str]:
    """Return the text of each body row of a table."""
    start = next(
        i for i, e in enumerate(page.elements) if e.tag == "table" and e.attrs["aria-label"] == table
    )
    rows = []
    for element in page.elements[start + 1 :]:
        if element.tag == "table":
            break
        if element.tag == "tr":
            rows.append(element.words)
    return rows[1:]


def set_account(customer: Customer, **fields: Any) -> None:
    BillingAccount.objects.filter(customer=customer).update(**fields)


def keep_metered_price() -> None:
    """Create the metered price that identifies the invoice lines of fixes."""
    product, _ = Product.objects.get_or_create(id="prod", defaults={"livemode": False, "stripe_data": {}})
    metered = {"recurring": {"usage_type": "metered"}}
    fields = {"active": True, "livemode": False, "product": product, "stripe_data": metered}
    Price.objects.get_or_create(id="fix", defaults=fields)


def make_line(price: str, quantity: int) -> dict[str, Any]:
    return {"quantity": quantity, "pricing": {"price_details": {"price": price}}}


def make_invoice(customer: Customer, **fields: Any) -> None:
    """Create an invoice as dj-stripe stores it."""
    keep_metered_price()
    owner, _ = StripeCustomer.objects.get_or_create(
        subscriber=customer, defaults={"id": f"cus_{customer.pk.hex}", "livemode": False, "stripe_data": {}}
    )
    data = {"number": "RS-1", "status": "open", "total": 53100, "currency": "usd"}
    data |= {
        "created": int(CREATED.timestamp()),
        "lines": {"data": [make_line("flat", 1), make_line("fix", 64)]},
    }
    data |= {
        "hosted_invoice_url": "https://invoice.stripe.com/i/1",
        "invoice_pdf": "https://stripe.com/1/pdf",
    }
    Invoice.objects.create(
        id=f"in_{Invoice.objects.count()}", created=CREATED, customer=owner, stripe_data=data | fields
    )


class TestAccess:
    def test_redirects_anonymous_users_to_login(self, client: Client) -> None:
        assert client.get("/dashboard/").headers["Location"] == "/accounts/login/?next=/dashboard/"

    def test_excludes_data_of_other_customers(self, alice: Browser, mallory: Browser) -> None:
        fix = make_mitigation_of(alice.customer, pull_request_url="https://github.com/acme/app/pull/71")
        key = create_api_key(customer=alice.customer, name="Acme's key").api_key
        make_invoice(alice.customer, number="ACME-1")
        for secret in ("Acme", fix.repository.full_name, "pull/71", key.prefix, "ACME-1"):
            assert secret in alice.get("/dashboard/").text
            assert secret not in mallory.get("/dashboard/").text

    def test_explains_a_missing_account(self, client: Client, db: None) -> None:
        client.force_login(UserFactory())
        assert "belongs to no RSOLV account" in open_dashboard(client).find("main").words

    def test_is_not_cached(self, alice: Browser) -> None:
        assert "no-store" in alice.get("/dashboard/").headers["Cache-Control"]


class TestNewKey:
    @pytest.fixture
    def signed_up(self, client: Client, db: None) -> Client:
        client.post("/accounts/signup/", FORM)
        enter_code(client, follow=False)
        return client

    def test_is_shown_once(self, signed_up: Client) -> None:
        shown = open_dashboard(signed_up).get("new-api-key")
        assert shown
        assert shown.tag == "code"
        assert Customer.objects.get().api_keys.get().prefix == shown.text[:12]
        assert len(shown.text) == len("rsolv_") + 43
        assert open_dashboard(signed_up).get("new-api-key") is None

    def test_has_a_copy_button_for_scripts(self, signed_up: Client) -> None:
        page = open_dashboard(signed_up)
        button = next(e for e in page.find_all("button") if e.attrs.get("data-copy") == "new-api-key")
        assert "hidden" in button.attrs
        assert "/static/js/copy.js" in [script.attrs["src"] for script in page.find_all("script")]


class TestEmptyStates:
    def test_explain_the_next_step(self, alice: Browser) -> None:
        text = open_dashboard(alice).find("main").words
        assert "Set up your first repository" in text
        assert "RSOLV_API_KEY" in text
        assert "No fixes yet Run the workflow in a repository." in text
        assert "No invoices yet The first invoice comes with a paid plan." in text
        assert "No API keys The Action needs one." in text

    def test_setup_disappears_after_the_first_fix(self, alice: Browser) -> None:
        make_mitigation_of(alice.customer)
        page = open_dashboard(alice)
        assert page.get("setup") is None
        assert "No fixes yet" not in page.find("main").words


class TestSummary:
    def read(self, browser: Browser) -> str:
        return open_dashboard(browser).find("dl").words

    def test_of_a_trial(self, alice: Browser) -> None:
        for _ in range(3):
            UsageRecordFactory(execution=make_mitigation_of(alice.customer))
        text = self.read(alice)
        assert "Trial Active 10 fixes free, no card" in text
        assert "3 of 10 7 left" in text
        assert "$0.00 Nothing is billed during the trial" in text

    def test_of_pay_as_you_go_without_a_meter(self, alice: Browser) -> None:
        set_account(alice.customer, plan="payg", status="active")
        for _ in range(2):
            execution = make_mitigation_of(alice.customer)
            record = UsageRecordFactory(
                execution=execution, coverage="metered", plan="payg", unit_price_cents=1500
            )
            UsageReport.objects.create(usage=record, customer=alice.customer)
        page = open_dashboard(alice)
        assert "$15 a fix, nothing else" in page.find("dl").words
        assert "$30.00" in page.find("dl").words
        assert not [e for e in page.elements if e.attrs.get("role") == "meter"]

    def test_of_teams_with_its_period(self, alice: Browser) -> None:
        start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
        set_account(
            alice.customer, plan="teams", status="active", current_period_start=start, current_period_end=end
        )
        text = self.read(alice)
        assert "$499 a month, 60 fixes included, then $8 each" in text
        assert "0 of 60 60 left" in text
        assert "$499.00 1 Mar 2026 to 1 Apr 2026, before tax" in text

    def test_meter_has_accessible_values(self, alice: Browser) -> None:
        UsageRecordFactory(execution=make_mitigation_of(alice.customer))
        meter = next(e for e in open_dashboard(alice).elements if e.attrs.get("role") == "meter")
        values = {name: meter.attrs[f"aria-value{name}"] for name in ("min", "max", "now", "text")}
        assert values == {"min": "0", "max": "10", "now": "1", "text": "1 of 10"}


class TestAccountAlert:
    def test_explains_the_end_of_the_trial(self, alice: Browser) -> None:
        set_account(alice.customer, trial_fixes_limit=1)
        UsageRecordFactory(execution=make_mitigation_of(alice.customer))
        text = open_dashboard(alice).find("main").words
        assert "Your free fixes are used up: 1 of 1" in text
        assert "Trial Used up" in text

    @pytest.mark.parametrize(
        ("status", "title", "badge"),
        [
            ("past_due", "Your last payment failed", "Payment failed"),
            ("unpaid", "Fixes are paused: an invoice is unpaid", "Unpaid"),
            ("canceled", "Your plan is canceled", "Canceled"),
        ],
    )
    def test_explains_a_subscription(self, alice: Browser, status: str, title: str, badge: str) -> None:
        set_account(alice.customer, plan="payg", status=status)
        text = open_dashboard(alice).find("main").words
        assert title in text
        assert f"Pay as you go {badge}" in text

    def test_links_to_the_open_invoice(self, alice: Browser) -> None:
        set_account(alice.customer, plan="payg", status="unpaid")
        make_invoice(alice.customer)
        link = next(a for a in open_dashboard(alice).find_all("a") if a.words == "Pay invoice RS-1")
        assert link.attrs["href"] == "https://invoice.stripe.com/i/1"

    def test_links_to_an_open_invoice_older_than_those_listed(self, alice: Browser) -> None:
        set_account(alice.customer, plan="payg", status="unpaid")
        make_invoice(alice.customer, number="OLD-1")
        for number in range(7):
            make_invoice(alice.customer, number=f"RS-{number}", status="paid")
        assert any(a.words == "Pay invoice OLD-1" for a in open_dashboard(alice).find_all("a"))


class TestTables:
    def test_fix_shows_outcome_and_pull_request(self, alice: Browser) -> None:
        url = "https://github.com/acme/app/pull/71"
        fix = make_mitigation_of(alice.customer, issue_number=4, outcome="unverified", pull_request_url=url)
        page = open_dashboard(alice)
        assert read_rows(page, "Latest fixes") == [
            f"{fix.repository.full_name} #4 Not verified not stated not stated not billed #71 just now"
        ]
        link = next(a for a in page.find_all("a") if a.attrs["href"] == url)
        assert link.attrs["rel"] == "noopener"

    def test_time_is_relative_with_the_exact_time_in_the_title(self, alice: Browser) -> None:
        at = datetime(2026, 1, 7, 14, 5, tzinfo=UTC)
        make_mitigation_of(alice.customer, created_at=at)
        time = next(e for e in open_dashboard(alice).find_all("time") if e.words == "7 Jan 2026")
        assert time.attrs == {"datetime": "2026-01-07T14:05:00+00:00", "title": "7 Jan 2026, 14:05 UTC"}

    def test_invoice_shows_fixes_total_and_pdf(self, alice: Browser) -> None:
        make_invoice(alice.customer)
        page = open_dashboard(alice)
        assert read_rows(page, "Invoices") == ["RS-1 Due 64 $531.00 1 Mar 2026 PDF"]
        pdf = next(a for a in page.find_all("a") if a.words == "PDF")
        assert pdf.attrs["href"] == "https://stripe.com/1/pdf"

    def test_draft_has_neither_number_nor_pdf(self, alice: Browser) -> None:
        make_invoice(
            alice.customer, number=None, status="draft", hosted_invoice_url=None, invoice_pdf=None, total=0
        )
        assert read_rows(open_dashboard(alice), "Invoices") == [
            "no number yet Draft 64 $0.00 1 Mar 2026 no PDF yet"
        ]

    def test_key_is_listed_by_its_prefix(self, alice: Browser) -> None:
        key = create_api_key(customer=alice.customer, name="CI")
        revoke_api_key(api_key=key.api_key, at=timezone.now())
        response = alice.get("/dashboard/").text
        assert read_rows(read_page(response), "API keys") == [f"CI {key.raw[:12]}… Revoked never"]
        assert key.raw not in response

    def test_customer_name_is_escaped(self, alice: Browser) -> None:
        Customer.objects.filter(pk=alice.customer.pk).update(name="<script>alert(1)</script>")
        assert open_dashboard(alice).find("h1").words == "<script>alert(1)</script>"


class TestQueries:
    def count(self, browser: Browser) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            open_dashboard(browser)
        return len(queries)

    def test_are_constant_in_the_number_of_fixes(self, alice: Browser) -> None:
        make_mitigation_of(alice.customer)
        make_invoice(alice.customer)
        create_api_key(customer=alice.customer, name="CI")
        open_dashboard(alice)
        for_one = self.count(alice)
        for _ in range(9):
            UsageRecordFactory(execution=make_mitigation_of(alice.customer))
            make_invoice(alice.customer)
            create_api_key(customer=alice.customer, name="CI")
        assert self.count(alice) == for_one == 14
