import pytest
from django.db import OperationalError
from django.test import Client

from billing.health import StripeCheck
from core import health
from tests.conftest import ApiClient


def fail():
    raise ConnectionError


@pytest.fixture
def all_healthy(monkeypatch):
    monkeypatch.setitem(health.HEALTH_CHECKS, "stripe", lambda: None)
    monkeypatch.setitem(health.HEALTH_CHECKS, "queue", lambda: None)


@pytest.fixture(autouse=True)
def no_cached_check(monkeypatch):
    monkeypatch.setattr(StripeCheck, "checked_at", float("-inf"))


@pytest.mark.django_db
class TestHealth:
    def test_needs_no_key(self, all_healthy):
        response = Client().get("/api/health")
        names = ("database", "cache", "queue", "stripe")
        assert response.json() == {"status": "healthy", "services": dict.fromkeys(names, "healthy")}

    def test_rejects_an_invalid_key(self):
        assert ApiClient("rsolv_nope").get("/api/health").status_code == 401

    @pytest.mark.parametrize("name", ["cache", "queue", "stripe"])
    def test_is_degraded_when_a_service_is_unavailable(self, all_healthy, monkeypatch, name):
        monkeypatch.setitem(health.HEALTH_CHECKS, name, fail)
        response = Client().get("/api/health")
        assert (response.status_code, response.json()["status"]) == (200, "degraded")
        assert response.json()["services"][name] == "unhealthy"

    def test_is_503_without_the_database(self, all_healthy, monkeypatch):
        monkeypatch.setitem(health.HEALTH_CHECKS, "database", fail)
        assert Client().get("/api/health").status_code == 503

    def test_sends_a_request_to_stripe(self, stripe_sandbox, monkeypatch):
        assert Client().get("/api/health").json()["services"]["stripe"] == "healthy"
        assert [each["path"] for each in stripe_sandbox.control.requests()] == ["/v1/account"]

    def test_reports_an_unreachable_stripe(self, settings):
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"
        assert Client().get("/api/health").json()["services"]["stripe"] == "unhealthy"


class TestLive:
    def test_runs_no_health_check(self, monkeypatch):
        monkeypatch.setattr(health, "HEALTH_CHECKS", {})
        assert Client().get("/api/health/live", headers={"X-API-Key": "rsolv_nope"}).json() == {
            "status": "alive"
        }


class TestReady:
    @pytest.mark.django_db
    def test_runs_one_query(self, django_assert_num_queries):
        Client().get("/api/health/ready")
        with django_assert_num_queries(1):
            response = Client().get("/api/health/ready")
        assert response.json() == {"status": "ready"}

    def test_is_503_while_the_database_is_unavailable(self, monkeypatch):
        def fail():
            raise OperationalError("unavailable")

        monkeypatch.setitem(health.HEALTH_CHECKS, "database", fail)
        response = Client().get("/api/health/ready")
        assert (response.status_code, response.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
