import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.plans import PAYG, PLANS, TEAMS, TRIAL
from billing.pricing import compute_period_cents, count_remaining


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
    def test_is_what_adding_fix_by_fix_gives(self, plan, fixes):
        total = plan.monthly_price_cents
        for position in range(1, fixes + 1):
            total += 0 if position <= plan.included else plan.unit_price_cents
        assert compute_period_cents(plan, fixes) == total


class TestCountRemaining:
    def test_counts_down_to_nothing(self):
        assert [count_remaining(TEAMS, fixes) for fixes in (0, 59, 60, 61)] == [60, 1, 0, 0]

    def test_has_no_bound_where_nothing_is_included(self):
        assert count_remaining(PAYG, 3) is None
