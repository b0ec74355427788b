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
ANN, BOB, CYD = UUID(int=1), UUID(int=2), UUID(int=3)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


class TestRatio:
    def test_has_no_value_without_anybody(self) -> None:
        assert Ratio(0, 0).value is None

    def test_is_part_of_whole(self) -> None:
        assert Ratio(1, 4).value == 0.25


class TestConversion:
    @pytest.mark.parametrize(
        ("signed_up", "paid_after", "expected"),
        [
            (45, 10, Ratio(1, 1)),
            (45, 30, Ratio(1, 1)),
            (45, 30.01, Ratio(0, 1)),
            (30, 1, Ratio(1, 1)),  # the youngest that had its time
            (29.9, 1, Ratio(0, 0)),
            (60, 1, Ratio(0, 0)),  # belongs to the window before
        ],
    )
    def test_counts_who_had_thirty_days_and_used_them(
        self, signed_up: float, paid_after: float, expected: Ratio
    ) -> None:
        periods = [Subscribed(ANN, ago(signed_up - paid_after))]
        assert compute_conversion(signups={ANN: ago(signed_up)}, periods=periods, at=NOW) == expected

    def test_counts_a_customer_once_however_often_it_subscribed(self) -> None:
        periods = [Subscribed(ANN, ago(40), ago(35)), Subscribed(ANN, ago(34))]
        found = compute_conversion(signups={ANN: ago(45), BOB: ago(45)}, periods=periods, at=NOW)
        assert found == Ratio(1, 2)


class TestActivation:
    def test_counts_a_first_scan_within_seven_days(self) -> None:
        signups = {ANN: ago(20), BOB: ago(20), CYD: ago(20)}
        scans = {ANN: ago(13), BOB: ago(12.9)}
        assert compute_activation(signups=signups, first_scans=scans, at=NOW) == Ratio(1, 3)

    def test_asks_nothing_of_who_signed_up_this_week(self) -> None:
        assert compute_activation(signups={ANN: ago(6.9)}, first_scans={}, at=NOW) == Ratio(0, 0)


class TestChurn:
    def test_counts_who_paid_and_no_longer_does(self) -> None:
        periods = [Subscribed(ANN, ago(90), ago(3)), Subscribed(BOB, ago(90))]
        assert compute_churn(periods=periods, at=NOW) == Ratio(1, 2)

    def test_leaves_a_change_of_plan_out(self) -> None:
        periods = [Subscribed(ANN, ago(90), ago(3)), Subscribed(ANN, ago(3))]
        assert compute_churn(periods=periods, at=NOW) == Ratio(0, 1)

    def test_leaves_out_who_came_and_went_within_the_window(self) -> None:
        assert compute_churn(periods=[Subscribed(ANN, ago(20), ago(3))], at=NOW) == Ratio(0, 0)


class TestFirstScan:
    def test_is_unknown_without_a_scan(self) -> None:
        assert compute_first_scan_seconds(signups={ANN: NOW}, first_scans={}, at=NOW) == (None, None)

    def test_of_one_scan_is_its_time(self) -> None:
        found = compute_first_scan_seconds(signups={ANN: ago(2)}, first_scans={ANN: ago(1)}, at=NOW)
        assert found == (86400, 86400)

    def test_tells_the_median_and_the_slow_tenth(self) -> None:
        people = [uuid4() for _ in range(11)]
        signups = dict.fromkeys(people, ago(20))
        scans = {each: ago(20) + timedelta(hours=n) for n, each in enumerate(people)}
        found = compute_first_scan_seconds(signups=signups, first_scans=scans, at=NOW)
        assert found == (5 * 3600, 9 * 3600)

    def test_leaves_scans_of_another_month_out(self) -> None:
        found = compute_first_scan_seconds(signups={ANN: ago(50)}, first_scans={ANN: ago(40)}, at=NOW)
        assert found == (None, None)
