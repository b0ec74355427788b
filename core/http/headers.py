"""What a browser is told it may do with our pages."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from csp.constants import HEADER
from csp.utils import build_policy as write_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

STRIPE_PAGES = ("https://checkout.stripe.com", "https://billing.stripe.com")
PERMISSIONS = ", ".join(
    (
        *(
            f"{name}=()"
            for name in ("camera", "microphone", "geolocation", "payment", "usb", "serial", "midi")
        ),
        *(f"{name}=()" for name in ("accelerometer", "gyroscope", "magnetometer", "display-capture")),
        *(f"{name}=(self)" for name in ("clipboard-write", "fullscreen")),
        *(f"publickey-credentials-{name}=(self)" for name in ("create", "get")),
    )
)


def build_policy(*, form_targets: tuple[str, ...]) -> dict[str, list[str]]:
    """Everything from this server alone, nothing inline. A form may lead to `form_targets` too."""
    return {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # the QR code of a second step
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'", *form_targets],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }


def list_form_targets(*addresses: str) -> tuple[str, ...]:
    """The origins that our forms are sent on to by a redirect: browsers hold those to form-action as well."""
    parts = [urlsplit(address) for address in addresses if address]
    return (*STRIPE_PAGES, *dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts))


# The staff admin's theme evaluates expressions in its markup (Alpine) and has scripts and styles inline.
STAFF_SOURCES: Any = {"script-src": ["'unsafe-inline'", "'unsafe-eval'"], "style-src": ["'unsafe-inline'"]}


class HeadersMiddleware:
    """The content security policy, looser for the staff admin, and the permissions policy.

    Both policies are written once: no page has one of its own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.usual, self.of_staff = write_policy(), write_policy(update=STAFF_SOURCES)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        if settings.DEBUG and response.status_code in (404, 500):
            return response  # Django's page for developers has its style inline
        match = request.resolver_match
        is_staff = match is not None and match.namespace == "admin"
        response.headers.setdefault(HEADER, self.of_staff if is_staff else self.usual)
        return response
