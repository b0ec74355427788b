from typing import Any

import pytest
from django.utils import timezone

from billing.models import CorrectionReport, PaymentIncident, UsageCorrection, UsageRecord, UsageReport
from billing.plans import PLANS
from billing.selectors.explained_invoice import explain_invoice
from billing.services.subscriptions.change_plan import change_plan, preview_change
from core.errors import NotFound
from tests.billing.billing_env import BillingEnv
from tests.rsolv.portal.markup import Page
from tests.rsolv.portal.test_dashboard import make_invoice, read_rows
from tests.tenants import Browser

from .conftest import count_queries, make_fix, open_page

INVOICES = "/dashboard/billing/invoices/"


def make_incident(browser: Browser, invoice: str, **fields: Any) -> None:
    fields = {"kind": "refund", "amount_cents": 2500, "status": "succeeded"} | fields
    PaymentIncident.objects.create(
        stripe_id=f"re_{PaymentIncident.objects.count()}",
        customer=browser.customer,
        invoice=invoice,
        currency="usd",
        occurred_at=timezone.now(),
        **fields,
    )


class TestInvoices:
    def test_are_listed_with_amounts_states_and_files(self, alice: Browser) -> None:
        make_invoice(alice.customer, id="in_0")
        page = open_page(alice, INVOICES)
        assert read_rows(page, "Invoices") == ["RS-1 Due 64 $531.00 – 1 Mar 2026 PDF"]

    def test_what_went_back_or_is_disputed_is_shown(self, alice: Browser) -> None:
        make_invoice(alice.customer, id="in_0", status="paid")
        make_incident(alice, "in_0")
        make_incident(alice, "in_0", status="failed")
        make_incident(alice, "in_0", kind="dispute", status="needs_response")
        row = read_rows(open_page(alice, INVOICES), "Invoices")[0]
        assert row == "RS-1 Paid Refunded Disputed 64 $531.00 $25.00 1 Mar 2026 PDF"

    def test_are_shown_twenty_a_page(self, alice: Browser) -> None:
        for number in range(21):
            make_invoice(alice.customer, number=f"RS-{number}")
        assert len(read_rows(open_page(alice, INVOICES), "Invoices")) == 20
        last = open_page(alice, f"{INVOICES}?page=2")
        assert len(read_rows(last, "Invoices")) == 1
        assert "Page 2 of 2" in last.find("main").words

    def test_a_page_beyond_the_last_is_the_last(self, alice: Browser) -> None:
        make_invoice(alice.customer)
        for page in ("99", "0", "x", "-1", "٣"):
            assert len(read_rows(open_page(alice, f"{INVOICES}?page={page}"), "Invoices")) == 1

    def test_of_a_reference_that_no_database_takes_is_rejected(
        self, alice: Browser, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0), pytest.raises(NotFound):
            explain_invoice(customer=alice.customer, invoice_id="ACME\0")
        assert alice.get(f"{INVOICES}%00/").status_code == 400

    def test_are_only_the_own(self, alice: Browser, mallory: Browser) -> None:
        make_invoice(alice.customer, number="ACME-1")
        assert "ACME-1" not in mallory.get(INVOICES).text
        assert mallory.get(f"{INVOICES}ACME-1/").status_code == 404
        assert mallory.get(f"{INVOICES}in_0/").status_code == 404

    def test_queries_are_as_many_for_ten_as_for_one(self, alice: Browser) -> None:
        make_invoice(alice.customer)
        for_one = count_queries(alice, INVOICES)
        for _ in range(9):
            make_invoice(alice.customer)
        assert count_queries(alice, INVOICES) == for_one


class TestExplainedInvoice:
    def open_newest(self, browser: Browser, billing_env: BillingEnv) -> Page:
        """End the month and open its invoice's page."""
        billing_env.close_month()
        return open_page(browser, f"{INVOICES}{self.find_number(billing_env)}/")

    def find_number(self, billing_env: BillingEnv) -> str:
        return str(billing_env.stripe.control.objects("invoice")[-1]["number"])

    def read_lines(self, page: Page) -> list[str]:
        return [each.words for each in page.find_all("details") if each.attrs["class"] == "line"]

    def test_agrees_to_the_cent_in_every_tier(self, paying: Browser, billing_env: BillingEnv) -> None:
        for _ in range(62):
            make_fix(billing_env, paying.customer)
        page = self.open_newest(paying, billing_env)
        included, beyond, month = self.read_lines(page)
        assert "Every line matches our ledger" in page.find("main").words
        assert "60 fixes in our ledger, $0.00" in included
        assert "2 fixes in our ledger, $16.00" in beyond
        assert "The plan's monthly price, paid in advance: $499.00" in month

    def test_a_fix_shows_what_proves_it(self, paying: Browser, billing_env: BillingEnv) -> None:
        url = "https://github.com/acme/app/pull/71"
        fix = make_fix(billing_env, paying.customer, pull_request_url=url)
        page = self.open_newest(paying, billing_env)
        text = self.read_lines(page)[0]
        for words in (
            f"{fix.repository.full_name}#{fix.issue_number}",
            "Pull request #71",
            "Red before Green after",
            "test_search_binds in tests/test_search.py",
            "assert [1] == []",
            "5 of 5 tests passed",
        ):
            assert words in text
        assert url in {a.attrs.get("href") for a in page.find_all("a")}

    def test_a_fix_taken_off_the_meter_is_marked_and_not_counted(
        self, paying: Browser, billing_env: BillingEnv
    ) -> None:
        make_fix(billing_env, paying.customer)
        correct(UsageRecord.objects.get(), kind="void", resolution="adjustment", reason="It broke the build.")
        UsageReport.objects.update(status="withdrawn", next_attempt_at=None)
        page = self.open_newest(paying, billing_env)
        text = self.read_lines(page)[0]
        assert "Voided not counted Reason: It broke the build." in text
        assert "0 fixes in our ledger, $0.00 The invoice differs: 1 fix, $0.00" in text

    def test_a_credited_fix_is_marked_with_its_amount(self, alice: Browser, billing_env: BillingEnv) -> None:
        billing_env.subscribe("payg", customer=alice.customer)
        make_fix(billing_env, alice.customer)
        correct(
            UsageRecord.objects.get(),
            kind="credit",
            resolution="credit",
            amount_cents=1500,
            reason="As agreed.",
        )
        page = self.open_newest(alice, billing_env)
        assert "Credited $15.00 credited to your balance" in self.read_lines(page)[0]
        assert "As agreed. $15.00" in read_rows(page, "Credits")[0]
        assert "Every line matches our ledger" in page.find("main").words

    def test_says_plainly_where_it_differs(
        self, alice: Browser, billing_env: BillingEnv, caplog: Any
    ) -> None:
        billing_env.subscribe("payg", customer=alice.customer)
        make_fix(billing_env, alice.customer)
        UsageReport.objects.update(meter_at=timezone.now())
        billing_env.close_month()
        UsageReport.objects.update(status="pending", reported_at=None, next_attempt_at=timezone.now())
        page = open_page(alice, f"{INVOICES}{self.find_number(billing_env)}/")
        assert "This invoice differs from our ledger" in page.find("main").words
        assert "0 fixes in our ledger, $0.00 The invoice differs: 1 fix, $15.00" in self.read_lines(page)[0]
        assert "invoice_differs" in caplog.text

    def change(self, alice: Browser, billing_env: BillingEnv, before: str, after: str, *, fixes: int) -> str:
        """Return the text of the invoice of a plan change after ten days."""
        billing_env.subscribe(before, customer=alice.customer)
        billing_env.deliver()
        for _ in range(fixes):
            make_fix(billing_env, alice.customer)
        billing_env.stripe.control.advance(days=10)
        plan, at = PLANS[after], billing_env.now()
        token = preview_change(customer=alice.customer, plan=plan, at=at).token
        change_plan(customer=alice.customer, plan=plan, preview_token=token)
        billing_env.deliver()
        return open_page(alice, f"{INVOICES}{self.find_number(billing_env)}/").find("main").words

    def test_a_change_up_is_invoiced_at_both_prices_and_agrees(
        self, alice: Browser, billing_env: BillingEnv, settings: Any
    ) -> None:
        settings.METER_SETTLE_SECONDS = 0
        text = self.change(alice, billing_env, "payg", "teams", fixes=1)
        assert "Every line matches our ledger" in text
        assert "1 fix in our ledger, $15.00" in text

    def test_a_change_down_says_which_lines_we_do_not_compute(
        self, alice: Browser, billing_env: BillingEnv, settings: Any
    ) -> None:
        settings.METER_SETTLE_SECONDS = 0
        text = self.change(alice, billing_env, "teams", "payg", fixes=1)
        assert "The fixes match our ledger" in text
        assert "Part of a month's price" in text

    def test_makes_no_stripe_call(self, paying: Browser, billing_env: BillingEnv) -> None:
        make_fix(billing_env, paying.customer)
        billing_env.close_month()
        before = len(billing_env.stripe.control.requests())
        open_page(paying, f"{INVOICES}{self.find_number(billing_env)}/")
        assert len(billing_env.stripe.control.requests()) == before

    def test_queries_are_as_many_for_ten_fixes_as_for_one(
        self, paying: Browser, billing_env: BillingEnv
    ) -> None:
        make_fix(billing_env, paying.customer)
        billing_env.close_month()
        for_one = count_queries(paying, f"{INVOICES}{self.find_number(billing_env)}/")
        for _ in range(10):
            make_fix(billing_env, paying.customer)
        billing_env.close_month()
        assert count_queries(paying, f"{INVOICES}{self.find_number(billing_env)}/") == for_one


class TestFix:
    def test_shows_all_of_its_evidence_to_its_customer_alone(
        self, paying: Browser, mallory: Browser, billing_env: BillingEnv
    ) -> None:
        make_fix(billing_env, paying.customer)
        path = f"/dashboard/billing/fixes/{UsageRecord.objects.get().pk}/"
        assert "SQL injection in app/search.py:12" in open_page(paying, path).find("main").words
        assert mallory.get(path).status_code == 404

    def test_states_where_nothing_is_stored(self, paying: Browser, billing_env: BillingEnv) -> None:
        execution = make_fix(billing_env, paying.customer)
        execution.repository.phase_executions.update(data="[1, 2")
        path = f"/dashboard/billing/fixes/{UsageRecord.objects.get().pk}/"
        assert "Nothing is stored" in open_page(paying, path).find("main").words


def correct(usage: UsageRecord, *, kind: str, resolution: str, reason: str, amount_cents: int = 0) -> None:
    correction = UsageCorrection.objects.create(
        usage=usage, customer=usage.customer, kind=kind, reason=reason
    )
    done = {"status": "done", "done_at": timezone.now(), "next_attempt_at": None}
    CorrectionReport.objects.create(
        correction=correction, resolution=resolution, amount_cents=amount_cents, **done
    )
