import pytest

from sandbox.alert_tests.monitoring import find_metrics


class TestFindMetrics:
    @pytest.mark.parametrize(
        ("expr", "names"),
        [
            ("up", {"up"}),
            ('sum by (view) (rate(http_total{view=~"a|b_c"}[5m]))', {"http_total"}),
            (
                "rsolv:api:ratio1h > 14.4 * 0.005 and other:ratio5m > 1e3",
                {"rsolv:api:ratio1h", "other:ratio5m"},
            ),
            ("time() - max(last_seconds > 0) > 93600", {"last_seconds"}),
            ("a unless on () b offset 1h", {"a", "b"}),
            ("rate(a_total[$__rate_interval]) / on (job) group_left (team) c", {"a_total", "c"}),
        ],
    )
    def test_leaves_out_functions_labels_windows_and_numbers(self, expr, names):
        assert find_metrics(expr) == names
