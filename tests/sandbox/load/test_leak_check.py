from dataclasses import replace

from sandbox.load.leak_check import ResourceUsage, find_growth

START = ResourceUsage({"web": 200.0, "worker": 400.0}, postgresql=20, redis=40)


class TestFindGrowth:
    def test_finds_nothing_if_nothing_has_changed(self) -> None:
        assert find_growth(START, START) == []

    def test_tolerates_growth_by_a_quarter_and_a_constant(self) -> None:
        assert (
            find_growth(START, ResourceUsage({"web": 266.0, "worker": 516.0}, postgresql=28, redis=53)) == []
        )

    def test_names_the_role_that_grew(self) -> None:
        grown = replace(START, memory_mb={"web": 267.0, "worker": 400.0})
        assert find_growth(START, grown) == ["web: 200.0 MB at the start, 267.0 at the end"]

    def test_names_connections_that_stay_open(self) -> None:
        found = find_growth(START, replace(START, postgresql=29))
        assert found == ["PostgreSQL: 20 connections at the start, 29 at the end"]

    def test_accepts_shrinking(self) -> None:
        assert find_growth(START, ResourceUsage({"web": 1.0, "worker": 1.0}, postgresql=0, redis=0)) == []
