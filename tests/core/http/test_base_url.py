"""Links in mails use BASE_URL, whatever Host header the request has."""

import re
from typing import Any

import pytest
from django.conf import settings as configured
from django.core import mail
from django.test import Client, RequestFactory

from core.http.base_url import BaseUrlMiddleware
from provisioning.models import SignupRequest
from tests.factories import UserFactory
from tests.signup import FORM, deliver_mails

BASE = "https://app.rsolv.example:8443"
HOSTS: list[dict[str, Any]] = [
    {"HTTP_HOST": "localhost:9999"},
    {"HTTP_HOST": "127.0.0.1"},
    {"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_HOST": "localhost:1"},
]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def base_url(settings: Any) -> None:
    settings.BASE_URL = BASE


def list_links() -> set[str]:
    """The scheme and host of every link in the mails that were sent."""
    deliver_mails()
    assert mail.outbox
    bodies = [text for each in mail.outbox for text in (str(each.body), *(a[0] for a in each.alternatives))]
    return {link for body in bodies for link in re.findall(r"https?://[^/\s\"'<]+", body)}


@pytest.mark.parametrize("host", HOSTS)
class TestMailLinks:
    def test_password_reset_uses_base_url(self, host: Any) -> None:
        UserFactory(email="alice@acme.test")
        Client().post("/accounts/password/reset/", {"email": "alice@acme.test"}, **host)
        assert list_links() == {BASE}

    def test_password_reset_without_account_uses_base_url(self, host: Any) -> None:
        Client().post("/accounts/password/reset/", {"email": "nobody@acme.test"}, **host)
        assert list_links() == {BASE}

    def test_signup_with_an_address_in_use_uses_base_url(self, host: Any) -> None:
        UserFactory(email="alice@acme.test")
        Client().post("/accounts/signup/", FORM, **host)
        assert list_links() == {BASE}

    def test_signup_confirmation_uses_base_url(self, host: Any) -> None:
        Client().post("/accounts/signup/", FORM, **host)
        assert SignupRequest.objects.exists()
        assert list_links() <= {BASE}

    def test_mail_does_not_name_the_requested_host(self, host: Any) -> None:
        UserFactory(email="alice@acme.test")
        Client().post("/accounts/password/reset/", {"email": "alice@acme.test"}, **host)
        list_links()
        assert not [each for each in mail.outbox if "localhost" in each.body or "evil.example" in each.body]


class TestAbsoluteUri:
    @pytest.mark.parametrize(
        ("location", "expected"),
        [
            (None, f"{BASE}/here/?a=1"),
            ("/there/", f"{BASE}/there/"),
            ("next/", f"{BASE}/here/next/"),
            ("?b=2", f"{BASE}/here/?b=2"),
            ("https://github.com/x", "https://github.com/x"),
        ],
    )
    def test_starts_with_base_url(self, location: str | None, expected: str) -> None:
        request = RequestFactory().get("/here/?a=1", HTTP_HOST="localhost:9999")
        BaseUrlMiddleware(lambda _: None)(request)  # type: ignore[arg-type,return-value]
        assert request.build_absolute_uri(location) == expected


def test_github_redirect_uri_uses_base_url(settings: Any) -> None:
    app = {"client_id": "id", "secret": "shh"}
    settings.SOCIALACCOUNT_PROVIDERS = {"github": {"APPS": [app]}}
    answer = Client().post("/accounts/github/login/", HTTP_HOST="localhost:9999")
    assert "redirect_uri=https%3A%2F%2Fapp.rsolv.example%3A8443%2F" in answer["Location"]
    assert configured.BASE_URL == BASE
