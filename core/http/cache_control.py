"""Set Cache-Control: browsers and proxies store nothing, unless the page is public."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

# Also keeps pages out of the browser's history: "back" after a logout must ask the server again.
PRIVATE = "private, no-store"
# Stored, but revalidated before each use: a page must show the current prices and terms.
PUBLIC = "no-cache"
PUBLIC_PAGES = frozenset(
    {
        "api-docs",
        "home",
        "openapi",
        "pricing",
        "privacy",
        "security",
        "security-txt",
        "setup-guide",
        "status",
        "terms",
    }
)


class CacheControlMiddleware:
    """Set `no-store` on responses of views, or `no-cache` on public pages without a session.

    A view is private unless PUBLIC_PAGES lists it, so that a new view is private by default. Static files
    keep the header that WhiteNoise sets.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        match = request.resolver_match
        # WhiteNoise answers before a view is resolved.
        if match is None and "Cache-Control" in response.headers:
            return response
        if match is not None and match.view_name in PUBLIC_PAGES and not _is_personal(request, response):
            response.headers.setdefault("Cache-Control", PUBLIC)
        elif "no-store" not in response.headers.get("Cache-Control", ""):
            response.headers["Cache-Control"] = PRIVATE
        if not request.path_info.startswith("/api/"):
            patch_vary_headers(response, ("Cookie", "HX-Request"))
        return response


def _is_personal(request: HttpRequest, response: HttpResponseBase) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES or bool(response.cookies)
