import pytest

from sandbox.load.arrivals import all_at_once, at_a_rate


class TestAtARate:
    def test_is_evenly_distributed(self) -> None:
        assert at_a_rate(4, per_second=2) == [0.0, 0.5, 1.0, 1.5]

    def test_a_thousand_a_minute_take_a_minute(self) -> None:
        assert at_a_rate(1000, per_second=1000 / 60)[-1] == pytest.approx(59.94)


class TestAllAtOnce:
    def test_is_the_same_time_for_all(self) -> None:
        assert all_at_once(3) == [0.0, 0.0, 0.0]
