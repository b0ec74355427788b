import pytest

from sandbox.alert_tests.monitoring import read_rules
from sandbox.alert_tests.shortened_rules import shorten, shorten_expr


class TestShortenExpr:
    @pytest.mark.parametrize(
        ("expr", "shorter"),
        [
            ("rate(a_total[1h]) > 14.4 * 0.005", "rate(a_total[30s]) > 14.4 * 0.005"),
            ("increase(a_total[5m]) > 5", "increase(a_total[20s]) > 5"),
            ("a unless a offset 1h", "a unless a offset 30s"),
            ("max(oldest_seconds) > 3600", "max(oldest_seconds) > 30"),
            ("rsolv:usage:ratio1h > 0.5", "rsolv:usage:ratio1h > 0.5"),
        ],
    )
    def test_divides_only_windows_and_ages(self, expr, shorter):
        assert shorten_expr(expr) == shorter


class TestShorten:
    def test_divides_the_for_of_an_alert(self):
        rule = {"alert": "A", "expr": "up == 0", "for": "10m"}
        rules = {"groups": [{"name": "g", "rules": [rule]}]}
        assert shorten(rules)["groups"][0]["rules"][0]["for"] == "5s"
        assert rule["for"] == "10m"

    def test_keeps_every_alert_with_its_labels(self):
        for rules in read_rules().values():
            for group, shorter in zip(rules["groups"], shorten(rules)["groups"], strict=True):
                for rule, short in zip(group["rules"], shorter["rules"], strict=True):
                    assert short | {"expr": "", "for": ""} == rule | {"expr": "", "for": ""}

    def test_rejects_a_duration_of_two_units(self):
        with pytest.raises(ValueError, match="1h30m"):
            shorten({"groups": [{"rules": [{"alert": "A", "expr": "up == 0", "for": "1h30m"}]}]})
