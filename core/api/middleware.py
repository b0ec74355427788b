"""Request ids (in response headers, errors and logs), and the middleware that API requests skip."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, clear_contextvars

SAFE_ID = re.compile(r"[A-Za-z0-9._:-]{8,128}\Z", re.ASCII)
log = structlog.get_logger("rsolv.request")


class RequestIdMiddleware:
    """Give every request an id and log the request after its response.

    The caller's X-Request-Id is used if it has a safe format.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = request.headers.get("X-Request-Id", "")
        request.request_id = sent if SAFE_ID.match(sent) else f"req_{uuid.uuid4().hex}"  # type: ignore[attr-defined]
        # A thread still has those of its previous request.
        clear_contextvars()
        bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]
        started = time.perf_counter()
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        log.info(
            "request",
            method=request.method,
            route=_find_route(request),
            status=response.status_code,
            seconds=round(time.perf_counter() - started, 4),
        )
        return response


class ApiRejoinMiddleware:
    """Where API requests join the middleware chain again after ApiShortcutMiddleware.

    Django instantiates middleware from the inside out, so this instance exists when the shortcut is created.
    """

    latest: Callable[[HttpRequest], HttpResponse]

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        ApiRejoinMiddleware.latest = self
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)


class ApiShortcutMiddleware:
    """Let API requests skip what only pages need: sessions, users, forms, messages, time zones.

    API views use no cookies. Middleware between this one and ApiRejoinMiddleware is skipped.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.through_pages, self.to_view = get_response, ApiRejoinMiddleware.latest

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_for_api = request.path_info.startswith("/api/")
        return self.to_view(request) if is_for_api else self.through_pages(request)


def _find_route(request: HttpRequest) -> str:
    """Return the URL pattern and not the path, which may contain a token (such as a password reset's)."""
    return request.resolver_match.route if request.resolver_match else "none"


def get_request_id(request: HttpRequest) -> str:
    return getattr(request, "request_id", "")
