from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import connection
from django.test import Client, RequestFactory

from core.api.errors import server_error
from tests.rsolv.portal.markup import read_page

ID = "req_0123456789abcdef"


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False, headers={"X-Request-Id": ID})


class TestErrorPages:
    def test_not_found_page_shows_the_request_id(self, visitor: Client) -> None:
        response = visitor.get("/nowhere")
        assert response.status_code == 404
        assert ID in read_page(response.text).find("main").words

    @pytest.mark.parametrize(
        ("error", "status", "heading"),
        [
            (RuntimeError, 500, "Something went wrong on our side"),
            (SuspiciousOperation, 400, "This request could not be processed"),
            (PermissionDenied, 403, "You do not have access to this page"),
        ],
    )
    def test_error_page_shows_the_request_id(
        self, visitor: Client, monkeypatch: Any, error: type[Exception], status: int, heading: str
    ) -> None:
        monkeypatch.setattr("rsolv.portal.views.render", raise_it(error))
        response = visitor.get("/")
        page = read_page(response.text)
        assert (response.status_code, page.find("h1").words) == (status, heading)
        assert ID in page.find("main").words

    def test_server_error_page_needs_no_session_user_or_manifest(self, settings: Any) -> None:
        """This test has no database access, and any use of the manifest would raise."""
        settings.STORAGES = settings.STORAGES | {
            "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
        }
        settings.DEBUG = False
        request = RequestFactory().get("/")
        request.request_id = ID  # type: ignore[attr-defined]
        response = server_error(request)
        assert ID in response.text
        assert "/static/css/rsolv.css" in response.text

    def test_csrf_failure_explains_what_to_do(self, db: None) -> None:
        response = Client(enforce_csrf_checks=True).post("/accounts/login/", {})
        assert response.status_code == 403
        assert "Go back, reload the page" in response.text

    def test_not_found_page_runs_no_query(
        self, visitor: Client, django_assert_num_queries: Any, db: None
    ) -> None:
        with django_assert_num_queries(0, connection=connection):
            visitor.get("/nowhere")


def raise_it(error: type[Exception]) -> Any:
    def render(*_: object, **__: object) -> None:
        raise error

    return render
