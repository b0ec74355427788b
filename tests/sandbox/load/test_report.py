from dataclasses import replace

from sandbox.load.leak_check import ResourceUsage
from sandbox.load.report import describe, write_lines
from sandbox.load.results import Answer, Result

USAGE = ResourceUsage({"web": 100.0}, postgresql=5, redis=5)
GOOD = Result("webhooks_burst", [Answer("", 0.01)], target_ms=25)


class TestDescribe:
    def test_is_ok_if_nothing_is_lost_and_nothing_grew(self) -> None:
        assert describe([GOOD], before=USAGE, after=USAGE, seeded=10)["ok"] is True

    def test_is_not_ok_if_one_is_lost(self) -> None:
        bad = Result("signups", [Answer("503", 0.01)])
        assert describe([GOOD, bad], before=USAGE, after=USAGE)["ok"] is False

    def test_is_not_ok_if_connections_stay_open(self) -> None:
        assert describe([GOOD], before=USAGE, after=replace(USAGE, redis=50))["ok"] is False

    def test_names_each_scenario(self) -> None:
        found = describe([GOOD], before=USAGE, after=USAGE, seeded=10)
        assert found["scenarios"]["webhooks_burst"]["sent"] == 1
        assert found["seeded"] == 10


class TestWriteLines:
    def test_names_what_was_lost_and_why(self) -> None:
        bad = Result("signups", [Answer("503", 3.0), Answer("", 0.1)], ["x@y.test: no key"], target_ms=2000)
        lines = list(write_lines(describe([bad], before=USAGE, after=USAGE)))
        assert "  1 times 503" in lines
        assert "  x@y.test: no key" in lines
        assert lines[1].endswith("missed")
        assert lines[-1] == "load: NOT ok"
