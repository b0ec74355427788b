import re

import pytest
from django.core.management import get_commands

from sandbox.alert_tests.monitoring import FOLDER, list_alerts, list_rules

DOCS = FOLDER.parents[1] / "docs"
PAGES = {file.stem: file.read_text() for file in sorted((DOCS / "runbooks").glob("*.md"))}


def test_each_alert_has_a_runbook_and_each_runbook_an_alert():
    assert set(PAGES) == {alert.name for alert in list_alerts()}


@pytest.mark.parametrize("name", PAGES)
class TestRunbook:
    def test_has_impact_diagnosis_resolution_and_escalation(self, name):
        text = PAGES[name]
        assert text.startswith(f"# {name}: ")
        assert re.findall(r"^## (.*)$", text, re.M) == ["Diagnosis", "Resolution", "Escalation"]

    def test_names_commands_that_exist(self, name):
        named = set(re.findall(r"`manage\.py (\w+)", PAGES[name]))
        assert named <= set(get_commands())

    def test_links_to_pages_that_exist(self, name):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", PAGES[name]):
            assert (DOCS / "runbooks" / target).exists(), target

    def test_names_alerts_that_exist(self, name):
        alerts = {rule["alert"] for _, rule in list_rules() if "alert" in rule}
        linked = set(re.findall(r"\[(\w+)\]\(\w+\.md\)", PAGES[name]))
        assert linked <= alerts
