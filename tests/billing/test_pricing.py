import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.plans import PAYG, PLANS, TEAMS, TRIAL
from billing.pricing import (
    begins_period,
    compute_held_cents,
    compute_monthly_cents,
    compute_period_cents,
    count_remaining,
    is_rest_credited,
)


class TestComputePeriodCents:
    @pytest.mark.parametrize(
        ("plan", "fixes", "cents"),
        [
            (TRIAL, 0, 0),
            (TRIAL, 10, 0),
            (PAYG, 0, 0),
            (PAYG, 1, 1500),
            (PAYG, 100, 150_000),
            (TEAMS, 0, 49_900),
            (TEAMS, 60, 49_900),
            (TEAMS, 61, 50_700),
            (TEAMS, 70, 57_900),
        ],
    )
    def test_agrees_with_the_price_page(self, plan, fixes, cents):
        assert compute_period_cents(plan, fixes) == cents

    @given(st.sampled_from(list(PLANS.values())), st.integers(0, 500))
    def test_equals_the_sum_over_single_fixes(self, plan, fixes):
        total = plan.monthly_price_cents
        for position in range(1, fixes + 1):
            total += 0 if position <= plan.included else plan.unit_price_cents
        assert compute_period_cents(plan, fixes) == total


class TestComputeMonthlyCents:
    @pytest.mark.parametrize(
        ("interval", "interval_count", "cents"),
        [
            ("month", 1, 12_000),
            ("month", 3, 4_000),
            ("year", 1, 1_000),
            ("year", 2, 500),
            ("week", 1, 52_143),
            ("day", 1, 365_000),
            ("day", 365, 1_000),
        ],
    )
    def test_counts_the_months_of_the_interval(self, interval, interval_count, cents):
        assert compute_monthly_cents(12_000, interval=interval, interval_count=interval_count) == cents


class TestCountRemaining:
    def test_counts_down_to_zero(self):
        assert [count_remaining(TEAMS, fixes) for fixes in (0, 59, 60, 61)] == [60, 1, 0, 0]

    def test_is_unlimited_when_nothing_is_included(self):
        assert count_remaining(PAYG, 3) is None


class TestPlanChange:
    def test_starts_a_new_month_when_the_monthly_price_rises(self):
        assert (begins_period(PAYG, TEAMS), begins_period(TEAMS, PAYG)) == (True, False)

    @pytest.mark.parametrize(
        ("fixes", "elapsed", "is_back"),
        [
            (0, 0, True),
            (1, 0, False),
            (1, 1499, False),
            (1, 1500, True),
            (33, 49_500, True),
            (33, 49_499, False),
        ],
    )
    def test_credits_what_fixes_have_not_used_up(self, fixes, elapsed, is_back):
        found = is_rest_credited(TEAMS, PAYG, fixes, elapsed_seconds=elapsed, whole_seconds=49_900)
        assert found == is_back

    def test_credits_nothing_when_fixes_exceed_the_monthly_price(self):
        assert not is_rest_credited(TEAMS, PAYG, 34, elapsed_seconds=99_999, whole_seconds=49_900)


class TestComputeHeldCents:
    @pytest.mark.parametrize(
        ("line", "subtotal", "total", "returned", "held"),
        [
            (3000, 3000, 3000, 0, 3000),
            (3000, 3000, 3000, 1000, 2000),
            (3000, 3000, 3000, 3000, 0),
            (3000, 3000, 3000, 9000, 0),
            # Beside a monthly price: the refund's share of this line, rounded down.
            (800, 50700, 50700, 100, 798),
            # A discount, and tax.
            (3000, 3000, 0, 0, 0),
            (3000, 3000, 1500, 1500, 0),
            (3000, 3000, 3570, 0, 3000),
            (3000, 3000, 3570, 3570, 0),
            # A credit line beside it has left nothing to pay.
            (3000, 0, 0, 0, 3000),
            (3000, -500, -500, 0, 3000),
        ],
    )
    def test_is_the_line_less_its_share_of_what_was_returned(self, line, subtotal, total, returned, held):
        found = compute_held_cents(line, subtotal_cents=subtotal, total_cents=total, returned_cents=returned)
        assert found == held
