"""Build absolute URLs from RSOLV_BASE_URL, never from the request's Host header."""

from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def build_base_url(path: str) -> str:
    """Return the absolute URL of a path, such as `/dashboard/`."""
    return f"{settings.BASE_URL}{path}"


def get_base_host() -> str:
    """Return the configured host, with its port if there is one."""
    return urlsplit(settings.BASE_URL).netloc


class BaseUrlMiddleware:
    """Make `request.build_absolute_uri` use the configured base URL.

    Django uses the Host header, whose port ALLOWED_HOSTS does not check. allauth builds OAuth callbacks and
    the links in its mails (password reset, confirmation) with this method.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.build_absolute_uri = lambda location=None: _build(request, location)  # type: ignore[method-assign]
        return self.get_response(request)


def _build(request: HttpRequest, location: str | None) -> str:
    location = request.get_full_path() if location is None else str(location)
    # `//host/path` names another host, and is joined below as Django does.
    if location.startswith("/") and not location.startswith("//"):
        return build_base_url(location)
    return urljoin(build_base_url(request.path), location)
