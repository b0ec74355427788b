"""The one format of API errors: `{"error": {"code", "message", "fields"?}, "requestId"}`."""

import time
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_noop
from rest_framework import exceptions
from rest_framework.response import Response

from core.api.middleware import get_request_id
from core.errors import DomainError, NotFound

log = structlog.get_logger(__name__)


class AuthRequired(DomainError):
    code, status = "AUTH_REQUIRED", 401
    message = "Send your API key in the X-API-Key header."


class InvalidApiKey(DomainError):
    code, status, message = "INVALID_API_KEY", 401, "Invalid or expired API key"


class PayloadTooLarge(DomainError):
    """The request body exceeds `limit` bytes."""

    code, status = "PAYLOAD_TOO_LARGE", 413

    def __init__(self, limit: int) -> None:
        megabytes, rest = divmod(limit, 1024 * 1024)
        size = f"{limit // 1024} kB" if rest else f"{megabytes} MB"
        super().__init__(f"The body is larger than {size}. Send less at once.")


@dataclass(frozen=True)
class RateLimitStatus:
    """A caller's current state under one limit. `reset_at` is in Unix seconds."""

    limit: int
    remaining: int
    reset_at: int

    @property
    def seconds_left(self) -> int:
        return max(1, self.reset_at - int(time.time()))


class RateLimited(DomainError):
    """The caller exceeded a rate limit and may retry when its window resets."""

    status = 429

    def __init__(self, rate_limit_status: RateLimitStatus, *, code: str) -> None:
        super().__init__(
            gettext_noop("Too many requests. Try again in %(seconds)d seconds."),
            params={"seconds": rate_limit_status.seconds_left},
        )
        self.rate_limit_status, self.code = rate_limit_status, code


FRAMEWORK_CODES: dict[type[exceptions.APIException], tuple[str, int, str | None]] = {
    exceptions.MethodNotAllowed: ("METHOD_NOT_ALLOWED", 405, None),
    exceptions.UnsupportedMediaType: (
        "INVALID_REQUEST",
        400,
        "Send JSON, with Content-Type: application/json.",
    ),
    exceptions.ParseError: ("INVALID_REQUEST", 400, None),
    exceptions.NotAuthenticated: (AuthRequired.code, 401, AuthRequired.message),
    exceptions.PermissionDenied: ("FORBIDDEN", 403, None),
}


def build_error(
    code: str, message: str, request_id: str, fields: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return the body of an error response. `fields` maps a field's path to what is wrong with it."""
    error: dict[str, Any] = {"code": code, "message": message}
    if fields:
        error["fields"] = fields
    return {"error": error, "requestId": request_id}


def handle_exception(exc: Exception, context: dict[str, Any]) -> Response:
    """Turn every exception into the API's error format (DRF's EXCEPTION_HANDLER).

    Unexpected exceptions are logged and answered with 500, a lost database with 503.
    """
    request_id = get_request_id(context["request"]._request)
    error = _to_domain_error(exc)
    response = Response(
        build_error(error.code, error.message, request_id, error.fields), status=error.status, exception=True
    )
    if isinstance(error, RateLimited):
        response["Retry-After"] = str(error.rate_limit_status.seconds_left)
        # `ApiView.finalize_response` writes it into the headers.
        context["request"].rate_limit_status = error.rate_limit_status
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        response["WWW-Authenticate"] = 'ApiKey realm="rsolv"'
    return response


def _to_domain_error(exc: Exception) -> DomainError:
    if isinstance(exc, DomainError):
        return exc
    if isinstance(exc, Http404):
        return NotFound()
    if isinstance(exc, RequestDataTooBig):
        return PayloadTooLarge(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    if isinstance(exc, exceptions.ValidationError):
        return _make_error("INVALID_REQUEST", 400, *describe_fields(exc.detail))
    for kind, (code, status, message) in FRAMEWORK_CODES.items():
        if isinstance(exc, kind):
            return _make_error(code, status, message or str(exc.detail))
    if isinstance(exc, OperationalError):
        log.exception("database_unavailable")
        return _make_error("SERVICE_UNAVAILABLE", 503, "The database is unavailable. Try again in a moment.")
    log.exception("unexpected_error")
    return _make_error(
        "INTERNAL_ERROR", 500, "Something went wrong on our side. Quote the request id to support."
    )


def _make_error(code: str, status: int, message: str, fields: dict[str, str] | None = None) -> DomainError:
    error = DomainError(message, fields=fields)
    error.code, error.status = code, status
    return error


def describe_fields(detail: Any) -> tuple[str, dict[str, str]]:
    """Return a sentence and a flat map from field path to error, from DRF's nested detail.

    A path looks like `testSuite.redTests.0.testName`. Errors of the whole body have the path `body`.
    """
    fields: dict[str, str] = {}
    stack: list[tuple[str, Any]] = [("", detail)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, dict):
            stack += [(f"{path}.{key}" if path else str(key), value) for key, value in node.items()]
        elif isinstance(node, list) and node and isinstance(node[0], dict | list):
            stack += [(f"{path}.{index}", value) for index, value in enumerate(node) if value]
        elif node:
            fields[path.removesuffix(".non_field_errors") or "body"] = str(
                node[0] if isinstance(node, list) else node
            )
    fields = dict(sorted(fields.items()))
    return "; ".join(f"{name}: {text}" for name, text in fields.items()), fields


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        error = build_error(
            "NOT_FOUND", "There is no such address in this API. See /api/docs.", get_request_id(request)
        )
        return JsonResponse(error, status=404)
    return render(request, "404.html", {"request_id": get_request_id(request)}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        message = "Something went wrong on our side. Quote the request id to support."
        return JsonResponse(build_error("INTERNAL_ERROR", message, get_request_id(request)), status=500)
    return render(request, "500.html", {"request_id": get_request_id(request)}, status=500)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        message = "The request cannot be read."
        return JsonResponse(build_error("INVALID_REQUEST", message, get_request_id(request)), status=400)
    return render(request, "400.html", {"request_id": get_request_id(request)}, status=400)
