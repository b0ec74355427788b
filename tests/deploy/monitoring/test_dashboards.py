from itertools import combinations

import pytest

from sandbox.alert_tests.monitoring import FOLDER, find_metrics, list_queries, list_records, read_dashboards

from .metric_names import list_metric_names

DASHBOARDS = read_dashboards()
PROMETHEUS_OWN = {"up", "ALERTS", "scrape_duration_seconds"}


def list_panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def overlap(one, other):
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


@pytest.mark.parametrize("name", DASHBOARDS)
class TestDashboard:
    def test_has_uid_title_description_and_unique_panel_ids(self, name):
        dashboard = DASHBOARDS[name]
        assert dashboard["uid"] == f"rsolv-{name}"
        assert dashboard["title"].startswith("RSOLV: ") and dashboard["description"]
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(ids) == len(set(ids))

    def test_has_a_variable_for_the_datasource(self, name):
        variables = DASHBOARDS[name]["templating"]["list"]
        assert [each["type"] for each in variables if each["name"] == "datasource"] == ["datasource"]
        for panel in list_panels(DASHBOARDS[name]):
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}

    def test_panels_have_title_description_unit_and_queries(self, name):
        for panel in list_panels(DASHBOARDS[name]):
            assert panel["title"] and len(panel["description"]) > 10, panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
            assert panel["targets"], panel["title"]

    def test_every_series_has_a_legend(self, name):
        for panel in list_panels(DASHBOARDS[name]):
            if panel["type"] != "stat":
                assert all(target.get("legendFormat") for target in panel["targets"]), panel["title"]

    def test_panels_fit_on_24_columns_without_overlap(self, name):
        places = [panel["gridPos"] for panel in DASHBOARDS[name]["panels"]]
        assert all(place["x"] + place["w"] <= 24 for place in places)
        assert not [pair for pair in combinations(places, 2) if overlap(*pair)]


@pytest.mark.services  # some gauges read the queue
def test_queries_read_metrics_that_the_code_exports(db):
    known = PROMETHEUS_OWN | list_metric_names() | set(list_records())
    unknown = {query.name: left for query in list_queries() if (left := find_metrics(query.expr) - known)}
    assert not unknown


def test_grafana_files_are_in_place():
    assert (FOLDER / "grafana/provisioning/datasources/rsolv.yml").exists()
    assert (FOLDER / "grafana/provisioning/dashboards/rsolv.yml").exists()
    assert set(DASHBOARDS) == {"api", "billing", "platform", "provisioning"}
