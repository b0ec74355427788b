from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from rsolv.staff.business_metrics.formulas import (
    Ratio,
    Subscribed,
    compute_activation,
    compute_churn,
    compute_conversion,
    compute_first_scan_seconds,
)

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
ACME, GLOBEX, INITECH = UUID(int=1), UUID(int=2), UUID(int=3)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


class TestRatio:
    def test_has_no_value_for_an_empty_whole(self) -> None:
        assert Ratio(0, 0).value is None

    def test_is_part_divided_by_whole(self) -> None:
        assert Ratio(1, 4).value == 0.25


class TestConversion:
    @pytest.mark.parametrize(
        ("signed_up", "paid_after", "expected"),
        [
            (45, 10, Ratio(1, 1)),
            (45, 30, Ratio(1, 1)),
            (45, 30.01, Ratio(0, 1)),
            (30, 1, Ratio(1, 1)),  # the most recent signup with complete 30 days
            (29.9, 1, Ratio(0, 0)),
            (60, 1, Ratio(0, 0)),  # belongs to the previous window
        ],
    )
    def test_counts_customers_who_paid_within_thirty_days(
        self, signed_up: float, paid_after: float, expected: Ratio
    ) -> None:
        periods = [Subscribed(ACME, ago(signed_up - paid_after))]
        assert compute_conversion(signups={ACME: ago(signed_up)}, periods=periods, at=NOW) == expected

    def test_counts_a_customer_with_several_subscriptions_once(self) -> None:
        periods = [Subscribed(ACME, ago(40), ago(35)), Subscribed(ACME, ago(34))]
        found = compute_conversion(signups={ACME: ago(45), GLOBEX: ago(45)}, periods=periods, at=NOW)
        assert found == Ratio(1, 2)


class TestActivation:
    def test_counts_a_first_scan_within_seven_days(self) -> None:
        signups = {ACME: ago(20), GLOBEX: ago(20), INITECH: ago(20)}
        scans = {ACME: ago(13), GLOBEX: ago(12.9)}
        assert compute_activation(signups=signups, first_scans=scans, at=NOW) == Ratio(1, 3)

    def test_excludes_signups_of_the_last_seven_days(self) -> None:
        assert compute_activation(signups={ACME: ago(6.9)}, first_scans={}, at=NOW) == Ratio(0, 0)


class TestChurn:
    def test_counts_customers_who_stopped_paying(self) -> None:
        periods = [Subscribed(ACME, ago(90), ago(3)), Subscribed(GLOBEX, ago(90))]
        assert compute_churn(periods=periods, at=NOW) == Ratio(1, 2)

    def test_excludes_plan_changes(self) -> None:
        periods = [Subscribed(ACME, ago(90), ago(3)), Subscribed(ACME, ago(3))]
        assert compute_churn(periods=periods, at=NOW) == Ratio(0, 1)

    def test_excludes_customers_who_started_within_the_window(self) -> None:
        assert compute_churn(periods=[Subscribed(ACME, ago(20), ago(3))], at=NOW) == Ratio(0, 0)


class TestFirstScan:
    def test_is_unknown_without_a_scan(self) -> None:
        assert compute_first_scan_seconds(signups={ACME: NOW}, first_scans={}, at=NOW) == (None, None)

    def test_is_the_time_of_a_single_scan(self) -> None:
        found = compute_first_scan_seconds(signups={ACME: ago(2)}, first_scans={ACME: ago(1)}, at=NOW)
        assert found == (86400, 86400)

    def test_returns_median_and_90th_percentile(self) -> None:
        people = [uuid4() for _ in range(11)]
        signups = dict.fromkeys(people, ago(20))
        scans = {each: ago(20) + timedelta(hours=n) for n, each in enumerate(people)}
        found = compute_first_scan_seconds(signups=signups, first_scans=scans, at=NOW)
        assert found == (5 * 3600, 9 * 3600)

    def test_excludes_scans_outside_the_window(self) -> None:
        found = compute_first_scan_seconds(signups={ACME: ago(50)}, first_scans={ACME: ago(40)}, at=NOW)
        assert found == (None, None)
