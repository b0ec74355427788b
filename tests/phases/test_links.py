"""Links built from data that a customer's runner stored lead only to the configured forge."""

from typing import Any

import pytest

from phases.links import build_issue_url, find_pull_request, name_pull_request
from phases.models import PhaseExecution
from tests.conftest import ApiClient
from tests.tenants import Browser

GOOD = "https://github.com/acme/shop/pull/7"
BAD = [
    "https://evil.example/acme/shop/pull/7",
    "https://github.com.evil.example/acme/shop/pull/7",
    "https://github.com@evil.example/acme/shop/pull/7",
    "https://user:pass@github.com/acme/shop/pull/7",
    "https://github.com:8443/acme/shop/pull/7",
    "http://github.com/acme/shop/pull/7",
    "javascript://github.com/acme/shop/pull/7",
    "//github.com/acme/shop/pull/7",
    "https://gıthub.com/acme/shop/pull/7",
    "https://github。com/acme/shop/pull/7",
    "https://github.com\\@evil.example/acme/shop/pull/7",
    "https://github.com/acme/shop/pull/",
    "https://github.com/acme/shop/pull/x",
    "https://github.com/acme/shop/pull/07",
    "https://github.com/acme/shop/pull/٧",
    "https://github.com/acme/shop/issues/7",
    "https://github.com/acme/shop/../../evil/repo/pull/7",
    "https://github.com/acme/../pull/7",
    "https://github.com//evil.example/pull/7",
    "https://github.com/login/oauth/authorize?x=/acme/shop/pull/7",
    " https://github.com/acme/shop/pull/7",
    "https://git\thub.com/acme/shop/pull/7",
    "https://github.com/acme/shop/pull/7\nhttps://evil.example",
    "https://GITHUB.com.evil/acme/shop/pull/7",
]


class TestFindPullRequest:
    @pytest.mark.parametrize(
        "url", [GOOD, f"{GOOD}/", f"{GOOD}/files?w=1#diff", "https://GitHub.com/acme/shop/pull/7"]
    )
    def test_returns_the_canonical_url(self, url: str) -> None:
        assert find_pull_request(url, repository="acme/shop") == GOOD

    @pytest.mark.parametrize("url", BAD)
    def test_rejects_any_other_url(self, url: str) -> None:
        assert find_pull_request(url) == ""

    @pytest.mark.parametrize("repository", ["evil/shop", "acme/shop2", "acme/sho", "acme-x/shop"])
    def test_rejects_another_repository(self, repository: str) -> None:
        assert find_pull_request(GOOD, repository=repository) == ""

    def test_ignores_case(self) -> None:
        assert find_pull_request(GOOD, repository="Acme/Shop") == GOOD

    def test_uses_the_configured_forge(self) -> None:
        own = "https://git.acme.example:8443"
        assert find_pull_request(f"{own}/acme/shop/pull/7", forge_url=own) == f"{own}/acme/shop/pull/7"
        assert find_pull_request(GOOD, forge_url=own) == ""

    def test_name_is_the_number(self) -> None:
        assert (name_pull_request(GOOD), name_pull_request("")) == ("#7", "")


def test_issue_url_points_to_the_forge() -> None:
    assert build_issue_url("acme/shop", 4) == "https://github.com/acme/shop/issues/4"


def store(alice_api: ApiClient, url: Any) -> PhaseExecution:
    body = {"phase": "mitigation", "repo": "acme/shop", "commitSha": "c", "issueNumber": 4}
    assert (
        alice_api.post("/api/v1/phases/store", body | {"data": {"fixed": True, "prUrl": url}}).status_code
        == 200
    )
    return PhaseExecution.objects.get()


class TestStoredUrl:
    @pytest.mark.parametrize("url", [*BAD, "https://github.com/mallory/shop/pull/7"])
    def test_other_url_is_not_stored_as_a_link(self, alice_api: ApiClient, url: str) -> None:
        assert store(alice_api, url).pull_request_url == ""

    def test_pull_request_of_the_repository_is_stored_as_a_link(self, alice_api: ApiClient) -> None:
        assert store(alice_api, f"{GOOD}/files").pull_request_url == GOOD


class TestPages:
    def test_never_link_to_another_host_even_for_old_rows(self, alice_api: ApiClient, alice: Browser) -> None:
        fix = store(alice_api, GOOD)
        PhaseExecution.objects.update(pull_request_url="https://evil.example/acme/shop/pull/7")
        for path in ("", "fixes/", f"fixes/{fix.pk}/", "usage/rsolv-usage.csv"):
            response = alice.get(f"/dashboard/{path}")
            text = response.getvalue().decode()
            assert response.status_code == 200
            assert "evil.example" not in text

    def test_link_to_the_pull_request(self, alice_api: ApiClient, alice: Browser) -> None:
        fix = store(alice_api, GOOD)
        for path in ("", "fixes/", f"fixes/{fix.pk}/"):
            assert f'href="{GOOD}"' in alice.get(f"/dashboard/{path}").text

    def test_link_to_the_configured_forge(self, alice_api: ApiClient, alice: Browser, settings: Any) -> None:
        settings.FORGE_URL = "https://git.acme.example"
        fix = store(alice_api, GOOD)
        text = alice.get(f"/dashboard/fixes/{fix.pk}/").text
        assert 'href="https://git.acme.example/acme/shop/issues/4"' in text
        assert f'href="{GOOD}"' not in text
