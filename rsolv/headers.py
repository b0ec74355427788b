"""What a browser is told it may do with our pages."""

from typing import Any
from urllib.parse import urlsplit

from csp.middleware import CSPMiddleware, PolicyParts
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
STAFF_SOURCES = {"script-src": ["'unsafe-inline'", "'unsafe-eval'"], "style-src": ["'unsafe-inline'"]}


class HeadersMiddleware(CSPMiddleware):
    """The content security policy, looser for the staff admin, and the permissions policy."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.resolver_match and request.resolver_match.namespace == "admin":
            staff: Any = STAFF_SOURCES
            parts.update = staff
        return parts

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return super().process_response(request, response)
