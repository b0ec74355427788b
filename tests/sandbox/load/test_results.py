import pytest

from sandbox.load.results import Answer, Result, compute_percentile_ms


def make_answers(*milliseconds: float, error: str = "") -> list[Answer]:
    return [Answer(error, each / 1000) for each in milliseconds]


class TestComputePercentile:
    @pytest.mark.parametrize(("percent", "expected"), [(50, 50.0), (95, 95.0), (99, 99.0), (100, 100.0)])
    def test_is_the_nearest_rank(self, percent, expected) -> None:
        assert compute_percentile_ms(make_answers(*range(100, 0, -1)), percent) == expected

    def test_of_one_value_is_that_value(self) -> None:
        assert compute_percentile_ms(make_answers(7), 50) == 7.0

    def test_includes_failures(self) -> None:
        answers = make_answers(1) + make_answers(60_000, error="ReadTimeout")
        assert compute_percentile_ms(answers, 95) == 60_000.0

    def test_of_nothing_is_zero(self) -> None:
        assert compute_percentile_ms([], 95) == 0.0


class TestResult:
    def test_loses_nothing_if_all_succeeded_and_exist(self) -> None:
        result = Result("signups", make_answers(1, 2, 3))
        assert (result.sent, result.succeeded, result.lost) == (3, 3, 0)

    def test_a_rejection_is_not_a_success(self) -> None:
        result = Result("signups", make_answers(1, 2) + make_answers(1, error="429 RATE_LIMITED"))
        assert (result.succeeded, result.lost) == (2, 1)
        assert result.describe()["errors"] == {"429 RATE_LIMITED": 1}

    def test_a_success_without_an_effect_is_lost(self) -> None:
        result = Result("signups", make_answers(1, 2), missing=["person1: no key"])
        assert (result.succeeded, result.lost) == (2, 1)

    def test_reports_that_it_misses_its_target(self) -> None:
        assert Result("signups", make_answers(2001), target_ms=2000).describe()["misses_target"] is True
        assert "misses_target" not in Result("signups", make_answers(2001)).describe()
