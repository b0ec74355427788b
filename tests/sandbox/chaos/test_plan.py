from collections import Counter

import pytest

from sandbox.chaos.plan import Plan, draw_plan
from sandbox.chaos.prices import TRIAL_FIXES


def count_fixes(plan: Plan, kind: str) -> list[int]:
    return [len(plan.list_counting(client)) for client in plan.clients if client.plan == kind]


class TestDrawPlan:
    def test_draws_the_same_from_the_same_seed(self):
        assert draw_plan(seed=3, fixes=300) == draw_plan(seed=3, fixes=300)
        assert draw_plan(seed=3, fixes=300) != draw_plan(seed=4, fixes=300)

    @pytest.mark.parametrize("fixes", [60, 300, 5000])
    def test_has_the_given_number_of_fixes_and_some_that_do_not_count(self, fixes):
        plan = draw_plan(seed=1, fixes=fixes)
        counts = Counter(issue.counts for issue in plan.issues)
        assert counts[True] == fixes and counts[False] > 0

    def test_has_two_hundred_customers_for_five_thousand_fixes(self):
        plan = draw_plan(seed=1, fixes=5000)
        kinds = Counter(client.plan for client in plan.clients)
        assert kinds == {"trial": 60, "teams": 40, "payg": 100}

    def test_exceeds_the_limits_of_trial_and_teams(self):
        plan = draw_plan(seed=1, fixes=5000)
        for kind, bound in (("trial", TRIAL_FIXES), ("teams", 60)):
            found = count_fixes(plan, kind)
            assert min(found) < bound < max(found)

    def test_names_every_issue_once(self):
        keys = [issue.key for issue in draw_plan(seed=1, fixes=5000).issues]
        assert len(keys) == len(set(keys))

    def test_sends_some_reports_in_parallel_and_repeatedly(self):
        steps = [issue.steps for issue in draw_plan(seed=1, fixes=300).issues]
        assert any(step.copies > 1 for each in steps for step in each)
        assert any(len(each) > 1 and each[0] == each[1] for each in steps)
