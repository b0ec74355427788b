import os
import shutil
import subprocess
from collections import defaultdict

import pytest
import yaml

from sandbox.alert_tests.monitoring import FOLDER, find_metrics, list_alerts, list_records, list_rules

from .metric_names import list_metric_names

ALERTS = list_alerts()


def promtool(*args: str) -> str:
    """Run promtool and return its output. Skips the test if it is not installed, but fails in CI."""
    if shutil.which("promtool") is None:
        assert os.environ.get("CI") != "true", "CI never skips promtool: install prometheus"
        pytest.skip("promtool is not installed: install the package prometheus")
    done = subprocess.run(["promtool", *args], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def list_tests() -> dict[str, list[bool]]:
    """Return for each alert whether its unit tests expect it to fire."""
    found: dict[str, list[bool]] = defaultdict(list)
    for file in FOLDER.glob("tests/*.yml"):
        for test in yaml.safe_load(file.read_text())["tests"]:
            for each in test["alert_rule_test"]:
                found[each["alertname"]].append(bool(each.get("exp_alerts")))
    return found


class TestPromtool:
    def test_accepts_the_configuration(self):
        assert "SUCCESS" in promtool("check", "config", "--syntax-only", "prometheus.yml")

    def test_accepts_every_rule(self):
        promtool(
            "check", "rules", "--lint-fatal", *(f"rules/{file.name}" for file in FOLDER.glob("rules/*.yml"))
        )

    @pytest.mark.parametrize("name", sorted(file.name for file in FOLDER.glob("tests/*.yml")))
    def test_passes_the_unit_tests_of_alerts(self, name):
        promtool("test", "rules", f"tests/{name}")


class TestRules:
    @pytest.mark.services  # some gauges read the queue
    def test_read_metrics_that_the_code_exports(self, db):
        known = {"up", *list_metric_names(), *list_records()}
        unknown = {
            rule.get("alert") or rule["record"]: left
            for _, rule in list_rules()
            if (left := find_metrics(rule["expr"]) - known)
        }
        assert not unknown

    def test_record_each_name_once(self):
        records = [rule["record"] for _, rule in list_rules() if "record" in rule]
        assert len(records) == len(set(records))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
class TestAlert:
    def test_has_a_unit_test_in_which_it_fires_and_one_in_which_it_does_not(self, alert):
        assert set(list_tests()[alert.name]) == {True, False}

    def test_has_severity_summary_description_and_runbook(self, alert):
        assert alert.severity in ("page", "ticket")
        assert set(alert.annotations) == {"summary", "description", "runbook"}
        assert alert.annotations["runbook"] == f"docs/runbooks/{alert.name}.md"


def test_alert_names_are_unique():
    names = [alert.name for alert in ALERTS]
    assert len(names) == len(set(names))
