"""Security headers of every page."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from core.http.headers import HeadersMiddleware
from tests.tenants import Browser

INLINE = re.compile(r"<style|<script(?![^>]*(?: src=|application/json))|\s(?:style|on[a-z]+)=\"|javascript:")
STRICT = ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'")


def walk(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """The path of every page whose URL has no parameters."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver) and pattern.namespace != "admin":
            yield from walk(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern) and not re.search(r"[<(]", str(pattern.pattern)):
            yield "/" + prefix + re.sub(r"\\Z|[$^]", "", str(pattern.pattern))


PAGES = sorted(set(walk(get_resolver().url_patterns)))


def read_policy(response: Any) -> list[str]:
    return [directive.strip() for directive in response["Content-Security-Policy"].split(";")]


class TestEveryPage:
    def test_main_pages_are_among_the_tested_pages(self) -> None:
        assert {"/", "/dashboard/", "/api/docs", "/accounts/login/", "/dashboard/billing/"} <= set(PAGES)

    @pytest.mark.parametrize("path", PAGES)
    def test_allows_scripts_and_styles_from_this_server_only(self, alice: Browser, path: str) -> None:
        for browser in (alice, Client(raise_request_exception=False)):
            response = browser.get(path)
            assert set(STRICT) <= set(read_policy(response))
            assert "unsafe" not in response["Content-Security-Policy"]
            assert "camera=()" in response["Permissions-Policy"]
            if not response.streaming and response["Content-Type"].startswith("text/html"):
                assert not INLINE.search(response.text)


@pytest.mark.django_db
class TestFormAction:
    def test_allows_stripe_and_github(self, client: Client) -> None:
        (targets,) = (d for d in read_policy(client.get("/")) if d.startswith("form-action"))
        assert targets.split()[1:5] == [
            "'self'",
            "https://checkout.stripe.com",
            "https://billing.stripe.com",
            "https://github.com",
        ]


@pytest.mark.django_db
class TestStaffAdmin:
    def test_allows_inline_scripts_of_the_theme(self, staff: Client) -> None:
        policy = read_policy(staff.get("/staff/"))
        assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in policy
        assert "frame-ancestors 'none'" in policy


@pytest.mark.django_db
class TestApiReference:
    def test_loads_its_script_from_a_separate_url(self, client: Client) -> None:
        assert 'src="/api/docs?script="' in client.get("/api/docs").text
        assert client.get("/api/docs?script=")["Content-Type"].startswith("application/javascript")


class TestOwnPolicy:
    def test_is_kept(self) -> None:
        answer = HttpResponse(headers={"Content-Security-Policy": "sandbox"})
        assert read_policy(HeadersMiddleware(lambda _: answer)(RequestFactory().get("/"))) == ["sandbox"]


class TestDebugErrorPage:
    def test_has_no_policy(self, settings: Any) -> None:
        settings.DEBUG = True
        answer = HeadersMiddleware(lambda _: HttpResponse(status=500))(RequestFactory().get("/"))
        assert "Content-Security-Policy" not in answer
