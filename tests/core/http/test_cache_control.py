"""Cache-Control: browsers and proxies may store public pages only."""

from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from core.http.cache_control import PUBLIC_PAGES
from tests.conftest import ApiClient
from tests.core.http.test_headers import PAGES
from tests.factories import UserFactory
from tests.tenants import Browser

CACHEABLE = [
    "/",
    "/pricing/",
    "/terms/",
    "/privacy/",
    "/security/",
    "/docs/setup/",
    "/api/openapi",
    "/api/docs",
]


def read(response: Any) -> set[str]:
    return set(response.headers["Cache-Control"].replace(" ", "").split(","))


class TestPages:
    def test_exports_are_among_the_tested_pages(self) -> None:
        assert {"/dashboard/usage/rsolv-usage.csv", "/dashboard/audit-log/export/"} <= set(PAGES)

    @pytest.mark.parametrize("path", PAGES)
    def test_signed_in_page_is_not_stored(self, alice: Browser, path: str) -> None:
        assert {"private", "no-store"} <= read(alice.get(path))

    @pytest.mark.parametrize("path", PAGES)
    def test_anonymous_page_is_stored_only_if_public(self, db: None, path: str) -> None:
        response = Client(raise_request_exception=False).get(path)
        is_found = response.status_code != 404 and not response.cookies
        is_public = is_found and response.resolver_match.view_name in PUBLIC_PAGES
        assert ("no-store" in read(response)) is not is_public

    @pytest.mark.parametrize("path", CACHEABLE)
    def test_public_page_may_be_stored_but_is_revalidated(self, db: None, path: str) -> None:
        assert read(Client().get(path)) == {"no-cache"}

    @pytest.mark.parametrize("path", ["/pricing/", "/dashboard/setup/", "/dashboard/fixes/"])
    def test_full_page_and_htmx_part_vary_by_header(self, alice: Browser, path: str) -> None:
        for headers in ({}, {"HX-Request": "true"}):
            response = alice.get(path, headers=headers)
            assert "no-store" in read(response)
            vary = response.headers["Vary"].replace(" ", "").split(",")
            assert {"Cookie", "HX-Request"} <= set(vary)

    def test_data_export_is_not_stored(self, alice: Browser) -> None:
        assert {"private", "no-store"} <= read(alice.post("/dashboard/settings/export/"))

    def test_staff_page_is_not_stored(self, db: None) -> None:
        browser = Client()
        browser.force_login(UserFactory(is_staff=True, is_superuser=True))
        assert "no-store" in read(browser.get("/staff/"))

    def test_error_page_is_not_stored(self, alice: Browser) -> None:
        for path in ("/nowhere/", "/dashboard/fixes/00000000-0000-0000-0000-000000000000/"):
            assert "no-store" in read(alice.get(path))

    def test_page_is_requested_again_after_logout(self, alice: Browser) -> None:
        assert "no-store" in read(alice.get("/dashboard/"))
        alice.post("/accounts/logout/")
        assert alice.get("/dashboard/").status_code == 302


class TestApi:
    def test_response_is_not_stored(self, alice_api: ApiClient, stripe_sandbox: Any) -> None:
        answers = [
            alice_api.get("/api/v1/entitlement"),
            alice_api.get("/api/v1/phases/retrieve", {"repo": "a/b", "issue": 1, "commit": "c"}),
            alice_api.post("/api/v1/phases/store", {}),
            Client().get("/api/v1/entitlement"),
            Client().get("/api/nowhere"),
            Client().get("/api/health"),
            Client().post("/api/webhooks/stripe"),
            Client().get("/api/v1/entitlement", HTTP_HOST="evil.example"),
        ]
        assert all(read(answer) == {"private", "no-store"} for answer in answers)

    def test_replayed_response_is_not_stored(self, alice_api: ApiClient) -> None:
        body = {"repo": "acme/shop", "issueNumber": 1}
        for _ in range(2):
            answer = alice_api.post("/api/v1/entitlement/claim", body, Idempotency_Key="one")
        assert answer.headers["Idempotent-Replayed"] == "true"
        assert read(answer) == {"private", "no-store"}


@pytest.mark.django_db
def test_static_file_may_be_stored(client: Client, settings: Any) -> None:
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True
    response = client.get("/static/css/rsolv.css")
    response.close()
    assert response.status_code == 200
    assert "no-store" not in response.headers["Cache-Control"]


def test_every_public_page_has_a_url() -> None:
    names = set(get_resolver().reverse_dict.keys())
    assert names >= PUBLIC_PAGES
