"""What browsers and proxies may keep of an answer: nothing, unless the page is public."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

# Not even in the history of a browser: "back" after a logout asks the server again.
PRIVATE = "private, no-store"
# Kept, and asked for again before each use: a page shows the prices and terms of today.
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
    """Marks every answer of a view: `no-store`, or `no-cache` for a public page without a session.

    A view is private until it is named in PUBLIC_PAGES, so a new one cannot be forgotten. Static files have
    their own header, set by WhiteNoise, and are left as they are.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        match = request.resolver_match
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
