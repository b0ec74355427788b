from ipaddress import ip_network

import pytest
from django.test import Client

from core import health
from tests.core.metrics.pages import find, parse, scrape


@pytest.fixture(autouse=True)
def open_page(settings, monkeypatch):
    settings.METRICS_ADDRESSES = [ip_network("127.0.0.1")]
    monkeypatch.setitem(health.HEALTH_CHECKS, "stripe", lambda: None)
    monkeypatch.setitem(health.HEALTH_CHECKS, "queue", lambda: None)


def count_by(name, **labels):
    return find(scrape(), name, **labels) or 0


@pytest.mark.django_db
class TestScrape:
    def test_writes_no_log_line_and_no_session(self, caplog):
        response = Client().get("/metrics")
        assert response["Content-Type"].startswith("text/plain; version=")
        assert not response.cookies
        assert "X-Request-Id" not in response
        assert not [each for each in caplog.records if each.name == "rsolv.request"]

    def test_accepts_any_host_name(self):
        assert Client().get("/metrics", headers={"Host": "10.0.0.7:8000"}).status_code == 200

    def test_has_no_rate_limit(self, settings):
        settings.API_REQUESTS_PER_MINUTE = 1
        assert [Client().get("/metrics").status_code for _ in range(3)] == [200, 200, 200]

    def test_responds_while_the_database_is_unavailable(self, monkeypatch):
        def fail():
            raise ConnectionError

        monkeypatch.setitem(health.HEALTH_CHECKS, "database", fail)
        before = count_by("rsolv_metrics_collect_errors_total", collector="billing")
        page = scrape()
        assert find(page, "rsolv_service_up", service="database") == 0
        assert find(page, "rsolv_metrics_collect_errors_total", collector="billing") == before + 1
        assert find(page, "rsolv_billing_usage_unreported") is None


@pytest.mark.django_db
class TestResponseCounter:
    NAME = "django_http_responses_total_by_status_view_method_total"

    def test_counts_by_view(self):
        labels = {"view": "health-live", "method": "GET", "status": "200"}
        before = count_by(self.NAME, **labels)
        Client().get("/api/health/live")
        assert count_by(self.NAME, **labels) == before + 1

    @pytest.mark.parametrize("pattern", ["/wp-login-{}.php", "/api/v1/nothing/{}", "/api/nothing/{}"])
    def test_has_no_label_with_an_unknown_path(self, pattern):
        Client().get(pattern.format("first"))
        before = set(parse(scrape()))
        for word in ("a", "b", "c"):
            Client().get(pattern.format(word))
        assert set(parse(scrape())) == before

    def test_has_no_label_with_an_unknown_method(self):
        Client().generic("PROPFIND", "/api/health/live")
        before = set(parse(scrape()))
        Client().generic("BREW", "/api/health/live")
        assert set(parse(scrape())) == before
