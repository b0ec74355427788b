"""The security contact: security.txt and the security page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client

PATH = "/.well-known/security.txt"


def read_fields() -> dict[str, str]:
    text = Client().get(PATH).text
    return dict(line.split(": ", 1) for line in text.splitlines())


@pytest.mark.django_db
class TestSecurityTxt:
    def test_is_public_cacheable_text(self) -> None:
        response = Client().get(PATH)
        assert (response.status_code, response["Content-Type"]) == (200, "text/plain; charset=utf-8")
        assert response["Cache-Control"] == "public, max-age=3600"

    def test_has_the_required_fields(self) -> None:
        fields = read_fields()
        assert fields["Contact"] == "mailto:security@rsolv.dev"
        assert fields["Preferred-Languages"] == "en"

    def test_expires_within_a_year(self) -> None:
        expires_at = datetime.strptime(read_fields()["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        left = expires_at - datetime.now(UTC)
        assert timedelta(days=100) < left < timedelta(days=365)

    def test_uses_base_url_for_every_host(self, settings: Any) -> None:
        settings.BASE_URL = "https://app.rsolv.example:8443"
        text = Client().get(PATH, HTTP_HOST="localhost:9999").text
        assert f"Canonical: https://app.rsolv.example:8443{PATH}\n" in text
        assert "Policy: https://app.rsolv.example:8443/security/\n" in text


@pytest.mark.django_db
class TestPage:
    def test_shows_the_contact(self) -> None:
        text = Client().get("/security/").text
        assert 'href="mailto:security@rsolv.dev"' in text

    def test_is_linked_from_every_public_page(self) -> None:
        assert 'href="/security/"' in Client().get("/").text


def test_security_md_has_the_same_contact() -> None:
    assert "security@rsolv.dev" in (configured.BASE_DIR / "SECURITY.md").read_text()
