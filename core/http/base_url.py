"""Absolute links lead to RSOLV_BASE_URL, whatever host a request named."""

from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def build_base_url(path: str) -> str:
    """The configured scheme, host and port with a path of ours, such as `/dashboard/`."""
    return f"{settings.BASE_URL}{path}"


def get_base_host() -> str:
    """The configured host, with its port where it has one."""
    return urlsplit(settings.BASE_URL).netloc


class BaseUrlMiddleware:
    """Has `request.build_absolute_uri` use the configured address.

    Django takes it from the Host header, whose port ALLOWED_HOSTS does not check. Allauth builds the links of
    its mails (resets, confirmations) and OAuth callbacks with this method.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.build_absolute_uri = lambda location=None: _build(request, location)  # type: ignore[method-assign]
        return self.get_response(request)


def _build(request: HttpRequest, location: str | None) -> str:
    location = request.get_full_path() if location is None else str(location)
    if location.startswith("/") and not location.startswith("//"):
        return build_base_url(location)
    return urljoin(build_base_url(request.path), location)
