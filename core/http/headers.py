"""The Content-Security-Policy and Permissions-Policy headers."""

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
    """Return a content security policy that allows this server alone and nothing inline.

    Forms may also be submitted to `form_targets`.
    """
    return {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # the QR code for two-factor setup
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'", *form_targets],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }


def list_form_targets(*addresses: str) -> tuple[str, ...]:
    """Return the origins that our forms may be redirected to after they are submitted.

    Browsers apply form-action to redirects as well.
    """
    parts = [urlsplit(address) for address in addresses if address]
    return (*STRIPE_PAGES, *dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts))


# The staff admin's theme uses inline scripts and styles, and Alpine, which evaluates expressions.
STAFF_SOURCES: Any = {"script-src": ["'unsafe-inline'", "'unsafe-eval'"], "style-src": ["'unsafe-inline'"]}


class HeadersMiddleware:
    """Set both policies. The staff admin gets a looser content security policy.

    Both are built once at start: no page has a policy of its own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.default_policy, self.staff_policy = write_policy(), write_policy(update=STAFF_SOURCES)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        if settings.DEBUG and response.status_code in (404, 500):
            return response  # Django's debug pages have inline styles
        match = request.resolver_match
        is_staff = match is not None and match.namespace == "admin"
        response.headers.setdefault(HEADER, self.staff_policy if is_staff else self.default_policy)
        return response
