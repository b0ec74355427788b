from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billing.periods import add_months, find_period
from billing.plans import PAYG, PLANS, TEAMS, TRIAL
from billing.pricing import (
    compute_marginal_cents,
    compute_period_cents,
    compute_usage_cents,
    count_remaining,
    is_next_beyond_cap,
    price_each,
)
from billing.stripe_gateway.prices import describe_prices
from tests.billing.slow_pricing import EACH, FREE, MONTHLY, walk_boundaries, walk_cents, walk_periods

plans = st.sampled_from(sorted(PLANS))
counts = st.integers(0, 200)
# Around the boundaries more often than elsewhere.
edges = st.one_of(st.sampled_from([0, 1, 9, 10, 11, 59, 60, 61, 62]), counts)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=zones)
month_ends = st.builds(
    lambda year, month, day, hour: datetime(year, month, day, hour, 59, 59, tzinfo=UTC),
    st.integers(2024, 2027),
    st.sampled_from([1, 3, 5, 7, 8, 10, 12]),
    st.integers(28, 31),
    st.sampled_from([0, 12, 23]),
)


class TestPeriodCost:
    @given(plans, edges)
    def test_equals_a_walk_over_the_fixes(self, plan, fixes):
        assert compute_usage_cents(PLANS[plan], fixes) == walk_cents(plan, fixes)
        assert compute_period_cents(PLANS[plan], fixes) == MONTHLY[plan] + walk_cents(plan, fixes)

    @given(plans, edges)
    def test_leaves_as_many_as_the_walk(self, plan, fixes):
        left = FREE[plan] - fixes if fixes < FREE[plan] else 0
        assert count_remaining(PLANS[plan], fixes) == (left if FREE[plan] else None)

    @pytest.mark.parametrize(
        ("plan", "fix", "cents"),
        [(TRIAL, 10, 0), (TRIAL, 11, 0), (PAYG, 1, 1500), (TEAMS, 60, 0), (TEAMS, 61, 800)],
        ids=lambda value: getattr(value, "key", value),
    )
    def test_grows_by_the_price_of_the_fix_at_each_boundary(self, plan, fix, cents):
        assert compute_marginal_cents(plan, fix) == cents


class TestPeriods:
    @given(st.one_of(instants, month_ends), st.integers(0, 900), zones)
    @example(datetime(2026, 1, 31, 12, tzinfo=UTC), 28, UTC)
    @example(datetime(2024, 1, 31, tzinfo=UTC), 29, UTC)
    def test_match_the_calendar_in_any_time_zone(self, anchor, days, zone):
        at = (anchor + timedelta(days=days)).astimezone(zone)
        boundaries = walk_boundaries(anchor, at)
        assert find_period(anchor=anchor, at=at) == (boundaries[-2], boundaries[-1])

    def test_of_the_31st_return_to_the_31st(self):
        anchor = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
        days = [(each.month, each.day) for each in (add_months(anchor, months) for months in range(5))]
        assert days == [(1, 31), (2, 28), (3, 31), (4, 30), (5, 31)]

    @given(plans, month_ends, st.lists(st.integers(0, 200 * 86400), max_size=80), zones)
    def test_cost_as_much_as_a_walk_over_the_calendar(self, plan, anchor, seconds, zone):
        fixes = [(anchor + timedelta(seconds=each)).astimezone(zone) for each in seconds]
        by_period = Counter(find_period(anchor=anchor, at=each)[0] for each in fixes)
        fast = {start: compute_period_cents(PLANS[plan], count) for start, count in by_period.items()}
        assert fast == walk_periods(plan, anchor, fixes)


class TestChangeWithinPeriod:
    @given(st.lists(st.tuples(st.sampled_from(["payg", "teams"]), edges), min_size=1, max_size=5))
    def test_costs_each_part_by_the_plan_of_its_time(self, parts):
        fast = sum(compute_usage_cents(PLANS[plan], fixes) for plan, fixes in parts)
        slow, free, on = 0, 0, None
        for plan, fixes in parts:
            free, on = FREE[plan], plan
            for _ in range(fixes):
                slow, free = (slow, free - 1) if free else (slow + EACH[on], 0)
        assert fast == slow

    @given(st.integers(0, 80), st.lists(st.sampled_from([800, 1500]), max_size=120))
    def test_prices_each_fix_as_it_counts(self, included, prices):
        priced, free = [], included
        for price in prices:
            priced.append(0 if free > 0 else price)
            free -= 1
        assert price_each(included, prices) == priced


class TestCorrections:
    @given(plans, edges, st.data())
    def test_credit_the_cost_of_the_voided_fixes(self, plan, fixes, data):
        voided = data.draw(st.integers(0, fixes))
        credits = [compute_marginal_cents(PLANS[plan], fixes - index) for index in range(voided)]
        assert walk_cents(plan, fixes) - sum(credits) == walk_cents(plan, fixes - voided)
        assert all(credit >= 0 for credit in credits)


class TestSpendCap:
    @given(st.sampled_from(["payg", "teams"]), st.integers(0, 150_000))
    def test_stops_at_the_last_fix_that_is_within_it(self, plan, cap_cents):
        granted = 0
        while granted < 200 and not is_next_beyond_cap(PLANS[plan], granted, cap_cents):
            granted += 1
        affordable = 0
        for fixes in range(1, 201):
            is_free = walk_cents(plan, fixes) == walk_cents(plan, fixes - 1)
            if is_free or MONTHLY[plan] + walk_cents(plan, fixes) <= cap_cents:
                affordable = fixes
            else:
                break
        assert granted == affordable


class TestPricesAtStripe:
    @given(st.sampled_from(["payg", "teams"]), edges)
    def test_give_the_same_total_by_stripes_tier_rules(self, plan, fixes):
        """Source: https://docs.stripe.com/products-prices/pricing-models (graduated prices)."""
        prices = describe_prices(PLANS[plan], product_id="p", meter_id="m")
        metered = SimpleNamespace(**prices[-1])
        tiers = getattr(metered, "tiers", None) or [{"up_to": "inf", "unit_amount": metered.unit_amount}]
        cents, floor = 0, 0
        for tier in tiers:
            ceiling = fixes if tier["up_to"] == "inf" else min(fixes, tier["up_to"])
            cents += max(0, ceiling - floor) * tier["unit_amount"]
            floor = max(floor, ceiling)
        assert cents == walk_cents(plan, fixes)
        assert sum(price.get("unit_amount", 0) for price in prices[:-1]) == MONTHLY[plan]
