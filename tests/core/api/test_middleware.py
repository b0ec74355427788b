import pytest
from django.conf import settings as django_settings
from django.test import Client


class TestShortcutMiddleware:
    @pytest.mark.parametrize("path", ["/api/health/live", "/api/nothing", "/api/v1/entitlement", "/api/docs"])
    def test_ignores_the_session(self, alice, django_assert_num_queries, path):
        with django_assert_num_queries(0):
            response = alice.get(path)
        assert not response.cookies
        assert "Cookie" not in response.get("Vary", "")

    def test_keeps_the_security_headers(self, client):
        response = client.get("/api/health/live")
        assert response["X-Frame-Options"] == "DENY"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
        assert response["X-Request-Id"]

    def test_rejects_an_unknown_host(self, client, settings):
        settings.ALLOWED_HOSTS = ["rsolv.example"]
        assert client.get("/api/health/live").status_code == 400

    def test_keeps_sessions_and_csrf_checks_for_pages(self, alice):
        strict = Client(enforce_csrf_checks=True)
        assert strict.post("/accounts/login/").status_code == 403
        assert alice.get("/dashboard/").status_code == 200

    def test_runs_before_the_session_middleware(self):
        order = [name.rpartition(".")[2] for name in django_settings.MIDDLEWARE]
        assert order.index("ApiShortcutMiddleware") < order.index("SessionMiddleware")
        assert order[-2:] == ["ApiRejoinMiddleware", "CountMiddleware"]
