import json
from datetime import date, timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import UsageCorrection, UsageRecord
from rsolv.portal.usage_page import SPANS
from tests.factories import UsageRecordFactory, make_mitigation_of
from tests.rsolv.portal.test_dashboard import read_rows
from tests.rsolv.portal.test_fixes import open_page
from tests.tenants import Browser

PAGE = "/dashboard/usage/"


def use(browser: Browser, *, ago: int = 0, **fields: str) -> UsageRecord:
    at = timezone.now() - timedelta(days=ago)
    return UsageRecordFactory(execution=make_mitigation_of(browser.customer, **fields), occurred_at=at)


class TestCharts:
    def test_have_a_count_for_each_day(self, alice: Browser) -> None:
        use(alice, severity="high")
        use(alice, severity="high", ago=2)
        page = open_page(alice, PAGE)
        data = page.get("severity-data")
        assert data
        drawn = json.loads(data.text)
        assert len(drawn["labels"]) == 30
        assert [(each["key"], each["counts"][-3:]) for each in drawn["series"]] == [("high", [1, 0, 1])]

    def test_have_a_table_of_the_same_counts(self, alice: Browser) -> None:
        record = use(alice, severity="high")
        use(alice)
        page = open_page(alice, PAGE)
        assert [row.split()[-1] for row in read_rows(page, "By severity")] == ["2"]
        assert read_rows(page, "By repository") == [f"{record.repository.full_name} 2"]

    def test_exclude_voided_fixes(self, alice: Browser) -> None:
        UsageCorrection.objects.create(usage=use(alice), customer=alice.customer, kind="void", reason="ours")
        assert "No fixes in this period" in open_page(alice, PAGE).find("main").words

    def test_can_span_months(self, alice: Browser) -> None:
        use(alice, ago=100)
        assert "No fixes in this period" in open_page(alice, PAGE).find("main").words
        assert len(read_rows(open_page(alice, f"{PAGE}?span=12m"), "By severity")) == 1

    def test_exclude_fixes_of_another_customer(self, alice: Browser, mallory: Browser) -> None:
        record = use(alice)
        assert record.repository.name not in mallory.get(PAGE).text

    def test_cost_is_hidden_from_a_member(self, alice: Browser, bob: Browser) -> None:
        assert "$" not in open_page(bob, PAGE).find("dl").words
        assert "$0.00" in open_page(alice, PAGE).find("dl").words

    def test_number_of_queries_is_constant(self, alice: Browser) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                open_page(alice, PAGE)
            return len(queries)

        use(alice)
        for_one = count()
        for ago in range(9):
            use(alice, ago=ago)
        assert count() == for_one == 7


class TestSpans:
    def test_of_months_end_with_the_current_month(self) -> None:
        buckets = SPANS[2].list_buckets(date(2026, 2, 28))
        assert (buckets[0], buckets[-1], len(buckets)) == (date(2025, 3, 1), date(2026, 2, 1), 12)


class TestExport:
    def read(self, browser: Client, span: str = "30d") -> list[str]:
        response = browser.get(f"{PAGE}rsolv-usage.csv?span={span}")
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        return response.getvalue().decode().splitlines()

    def test_has_a_row_for_each_fix(self, alice: Browser) -> None:
        record = use(alice, severity="low", vulnerability_type="xss")
        header, line = self.read(alice)
        assert header.startswith("at,repository,issue")
        assert line.split(",")[1:6] == [
            record.repository.full_name,
            str(record.issue_number),
            "low",
            "xss",
            "trial",
        ]

    def test_escapes_formulas(self, alice: Browser) -> None:
        use(alice, vulnerability_type="=1+1")
        assert ",'=1+1," in self.read(alice)[1]

    def test_excludes_fixes_of_another_customer(self, alice: Browser, mallory: Browser) -> None:
        use(alice)
        assert len(self.read(mallory)) == 1

    def test_is_limited_to_the_span(self, alice: Browser) -> None:
        use(alice, ago=40)
        assert (len(self.read(alice)), len(self.read(alice, "90d"))) == (1, 2)
