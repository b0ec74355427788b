import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import UsageCorrection, UsageReport
from customers.models import User
from customers.services.manage_keys import create_api_key
from phases.models import PhaseExecution
from rsolv.portal.fixes import FilterForm
from tests.conftest import ApiClient
from tests.factories import (
    MitigationFactory,
    RepositoryFactory,
    UsageRecordFactory,
    make_mitigation_of,
)
from tests.rsolv.portal.markup import Page, read_page
from tests.rsolv.portal.test_dashboard import make_invoice, make_line, read_rows, set_account
from tests.tenants import Browser

PAGE = "/dashboard/fixes/"
PROOF = {
    "validated": True,
    "redTests": [{"testName": "test_echo", "testCode": "assert '<' not in page"}],
    "testExecutionResult": {"passed": False, "output": "AssertionError: <script>"},
    "vulnerabilities": [{"type": "xss", "file": "app.py", "line": 4, "severity": "high"}],
}
URL = "https://github.com/acme/app/pull/71"


def make_fix(browser: Browser, **fields: Any) -> PhaseExecution:
    return make_mitigation_of(browser.customer, **fields)


def prove(fix: PhaseExecution, proof: dict[str, Any] = PROOF) -> PhaseExecution:
    return make_mitigation_of(
        fix.customer,
        phase="validation",
        issue_number=fix.issue_number,
        data=json.dumps(proof),
        is_superseded=True,
    )


def meter(fix: PhaseExecution, **fields: Any) -> Any:
    record = UsageRecordFactory(execution=fix, coverage="metered", plan="payg", unit_price_cents=1500)
    waits = {} if fields.get("status", "pending") == "pending" else {"next_attempt_at": None}
    return UsageReport.objects.create(usage=record, customer=fix.customer, **fields | waits)


def open_page(browser: Client, path: str = PAGE) -> Page:
    response = browser.get(path)
    assert response.status_code == 200
    return read_page(response.text)


def read_timeline(browser: Client, fix: PhaseExecution) -> str:
    return next(e for e in open_page(browser, f"{PAGE}{fix.pk}/").find_all("ol")).words


class TestUnstorableCharacters:
    def test_are_shown_as_replacement_characters(self, alice: Browser) -> None:
        unfit = "x\0y\ud800z"
        proof = PROOF | {"redTests": [{"testName": unfit, "testCode": unfit}], "testFile": unfit}
        fix = make_fix(alice, data=json.dumps({"success": False, "error": unfit}), outcome="failed")
        prove(fix, proof)
        words = open_page(alice, f"{PAGE}{fix.pk}/").find("main").words
        assert words.count("x\ufffdy\ufffdz") >= 2

    def test_stored_by_the_action_break_no_page(self, alice: Browser) -> None:
        action = ApiClient(create_api_key(customer=alice.customer, name="CI").raw)
        unfit = "x\0y\ud800z"
        finding = {"type": unfit, "title": unfit, "severity": "high"}
        body: dict[str, Any] = {"repo": "acme/shop", "commitSha": "abc", "issueNumber": 7}
        proof = {"validated": True, "vulnerabilities": [finding], unfit: unfit}
        for phase, data in (("validation", proof), ("mitigation", {"fixed": True, "error": unfit})):
            stored = action.post("/api/v1/phases/store", body | {"phase": phase, "data": data})
            assert stored.status_code == 200
        for path in (PAGE, f"{PAGE}{stored.json()['id']}/", "/dashboard/", "/dashboard/repositories/"):
            assert alice.get(path).status_code == 200
        assert "x\ufffdy\ufffdz" in alice.get(PAGE).text
        lines: Any = alice.get("/dashboard/usage/rsolv-usage.csv")
        assert "x\ufffdy\ufffdz" in b"".join(lines.streaming_content).decode()


class TestList:
    def test_filters_by_a_repository_that_is_not_offered(
        self, alice: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("rsolv.portal.fixes.REPOSITORIES_OFFERED", 1)
        account = make_fix(alice).repository.forge_account
        last = RepositoryFactory(forge_account=account, name="zz-last")
        MitigationFactory(repository=last)
        rows = read_rows(open_page(alice, f"{PAGE}?repository={last.pk}"), "Fixes")
        assert [row.split()[0] for row in rows] == [last.full_name]

    def test_shows_all_columns(self, alice: Browser) -> None:
        fix = make_fix(
            alice, issue_number=4, severity="high", vulnerability_type="sql_injection", pull_request_url=URL
        )
        UsageRecordFactory(execution=fix)
        name = fix.repository.full_name
        assert read_rows(open_page(alice), "Fixes") == [
            f"{name} #4 Fixed SQL injection High Included in trial #71 just now"
        ]

    def test_includes_validations_and_failed_and_unverified_fixes(self, alice: Browser) -> None:
        make_fix(alice, outcome="failed")
        make_fix(alice, outcome="unverified")
        make_fix(alice, phase="validation")
        words = " ".join(read_rows(open_page(alice), "Fixes"))
        assert all(state in words for state in ("Failed", "Not verified", "Proved", "not billed"))

    @pytest.mark.parametrize(
        "query",
        [
            "phase=mitigation&state=failed",
            "severity=low",
            "since=2026-03-02&until=2026-03-02",
            "repository={repository}&state=failed",
        ],
    )
    def test_filters(self, alice: Browser, query: str) -> None:
        at = datetime(2026, 3, 2, 12, tzinfo=UTC)
        wanted = make_fix(alice, outcome="failed", severity="low", created_at=at)
        make_fix(alice, severity="high")
        page = open_page(alice, f"{PAGE}?{query.format(repository=wanted.repository_id)}")
        assert [row.split()[1] for row in read_rows(page, "Fixes")] == [f"#{wanted.issue_number}"]

    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", ""])
    @pytest.mark.parametrize(
        ("query", "is_listed"),
        [
            ("since=0001-01-01", True),
            ("since=9999-12-31", False),
            ("until=0001-01-01", False),
            ("until=9999-12-30", True),
            ("until=9999-12-31", True),
            ("since=0001-01-01&until=9999-12-31", True),
        ],
    )
    def test_accepts_the_first_and_the_last_day_of_the_calendar(
        self, alice: Browser, zone: str, query: str, is_listed: bool
    ) -> None:
        User.objects.update(time_zone=zone)
        fix = make_fix(alice, vulnerability_type="sql_injection")
        words = open_page(alice, f"{PAGE}?{query}").find("main").words
        assert (f"#{fix.issue_number}" in words and "SQL injection" in words) is is_listed

    def test_filters_from_the_earliest_time_east_of_utc(self) -> None:
        """PostgreSQL accepts a start in the year 0; SQLite, which stores UTC, cannot convert it."""
        form = FilterForm({"since": "0001-01-01"}, repositories=[])
        assert form.is_valid()
        with timezone.override("Etc/GMT-14"):
            assert form.read_filter().since == datetime.min.replace(tzinfo=UTC)

    @pytest.mark.parametrize("day", ["0000-01-01", "10000-01-01", "2026-02-30"])
    @pytest.mark.parametrize("name", ["since", "until"])
    def test_reports_an_invalid_date(self, alice: Browser, name: str, day: str) -> None:
        make_fix(alice)
        page = open_page(alice, f"{PAGE}?{name}={day}")
        assert page.get(f"id_{name}_error")
        assert read_rows(page, "Fixes")

    def test_reports_an_invalid_filter_and_ignores_it(self, alice: Browser) -> None:
        make_fix(alice)
        page = open_page(alice, f"{PAGE}?since=never&severity=grave&repository={uuid4()}&page=x")
        assert len(read_rows(page, "Fixes")) == 1
        assert "Enter a valid date." in page.find("main").words

    def test_pagination_keeps_the_filter(self, alice: Browser) -> None:
        for _ in range(51):
            make_fix(alice, severity="low")
        page = open_page(alice, f"{PAGE}?severity=low")
        older = next(a for a in page.find_all("a") if a.attrs.get("rel") == "next")
        assert older.attrs["href"] == "?severity=low&page=2"
        assert len(read_rows(open_page(alice, PAGE + older.attrs["href"]), "Fixes")) == 1

    def test_empty_list_explains_what_to_do(self, alice: Browser) -> None:
        assert "Set up a repository and run the workflow" in open_page(alice).find("main").words
        assert "Widen the dates" in open_page(alice, f"{PAGE}?state=failed").find("main").words

    def test_excludes_fixes_of_another_customer(self, alice: Browser, mallory: Browser) -> None:
        fix = make_fix(alice)
        page = mallory.get(f"{PAGE}?repository={fix.repository_id}").text
        assert fix.repository.name not in page

    def test_number_of_queries_is_constant(self, alice: Browser) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                open_page(alice)
            return len(queries)

        meter(make_fix(alice))
        for_one = count()
        for _ in range(9):
            meter(make_fix(alice))
        assert count() == for_one == 7


class TestFixPage:
    def test_shows_the_complete_timeline(self, alice: Browser) -> None:
        fix = make_fix(alice, pull_request_url=URL, data='{"success": true, "testsPass": true}')
        prove(fix)
        meter_at = datetime(2026, 2, 10, tzinfo=UTC)
        meter(fix, status="reported", meter_at=meter_at, reported_at=meter_at)
        period = {"start": int(meter_at.timestamp()) - 9, "end": int(meter_at.timestamp()) + 9}
        make_invoice(alice.customer, lines={"data": [make_line("fix", 1) | {"period": period}]})
        timeline = read_timeline(alice, fix)
        expected = ["Found", "Proved", "test_echo", "AssertionError: <script>", "Fixed", "#71", "Verified"]
        expected += ["All tests pass", "Metered", "$15", "Invoiced", "RS-1"]
        places = [timeline.index(each) for each in expected]
        assert places == sorted(places)

    def test_is_also_found_by_the_validation(self, alice: Browser) -> None:
        fix = make_fix(alice)
        assert f"#{fix.issue_number}" in open_page(alice, f"{PAGE}{prove(fix).pk}/").find("h1").words

    @pytest.mark.parametrize(
        ("outcome", "why"),
        [
            ("failed", "A failed fix is never billed."),
            ("unverified", "A fix whose tests do not pass is never billed."),
        ],
    )
    def test_explains_why_it_is_not_billed(self, alice: Browser, outcome: str, why: str) -> None:
        assert why in read_timeline(alice, make_fix(alice, outcome=outcome, data='{"error": "2 tests red"}'))

    def test_shows_a_correction_by_staff(self, alice: Browser) -> None:
        report = meter(make_fix(alice), status="withdrawn")
        UsageCorrection.objects.create(
            usage=report.usage, customer=alice.customer, kind="void", reason="The vulnerability was ours."
        )
        timeline = read_timeline(alice, report.usage.execution)
        assert "it does not count. Reason: The vulnerability was ours." in timeline

    def test_shows_claim_and_verification(self, alice: Browser) -> None:
        tries = [{"claimed": True, "verified": False, "error": "2 tests red"}, {"claimed": True}]
        data = {"success": True, "testsPass": True, "attempts": tries, "trustScore": 0.5}
        page = open_page(alice, f"{PAGE}{make_fix(alice, data=json.dumps(data)).pk}/")
        summary = page.find("dl").words
        assert summary == "Attempts 2 Claimed fixed Verified tests pass Trust score 50 %"
        assert read_rows(page, "Attempts")[0] == "1 yes no 2 tests red"

    def test_accepts_any_data(self, alice: Browser) -> None:
        for data in ("[]", "{", '{"attempts": [1, null], "verification": 3, "error": {}}'):
            open_page(alice, f"{PAGE}{make_fix(alice, data=data).pk}/")

    def test_hides_the_invoice_from_a_member(self, alice: Browser, bob: Browser) -> None:
        fix = make_fix(alice)
        meter(fix, status="reported", meter_at=timezone.now(), reported_at=timezone.now())
        assert "Invoiced" not in read_timeline(bob, fix)
        assert "Invoiced not yet" in read_timeline(alice, fix)

    def test_is_not_found_for_another_customer(self, alice: Browser, mallory: Browser) -> None:
        assert mallory.get(f"{PAGE}{make_fix(alice).pk}/").status_code == 404

    def test_is_not_found_for_a_scan(self, alice: Browser) -> None:
        scan = make_fix(alice, phase="scan", issue_number=None)
        assert alice.get(f"{PAGE}{scan.pk}/").status_code == 404

    def test_number_of_queries_does_not_grow_with_the_customer(self, alice: Browser) -> None:
        set_account(alice.customer, plan="payg", status="active")
        fix = make_fix(alice)
        at = timezone.now() - timedelta(days=1)
        meter(fix, status="reported", meter_at=at, reported_at=at)
        with CaptureQueriesContext(connection) as first:
            open_page(alice, f"{PAGE}{fix.pk}/")
        for _ in range(9):
            prove(make_fix(alice))
        with CaptureQueriesContext(connection) as second:
            open_page(alice, f"{PAGE}{fix.pk}/")
        assert len(first) == len(second) == 9
