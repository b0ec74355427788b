"""Base classes of all API views."""

from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.errors import RateLimitStatus
from core.api.parsers import JSONObject
from core.api.throttling import find_rate_limit_status, find_scope
from core.errors import NotFound


class ApiRequest(Request):
    """A DRF request that keeps its body's bytes and the caller's rate-limit status."""

    raw_body: bytes = b""
    sent_json: JSONObject | None = None
    rate_limit_status: RateLimitStatus | None = None

    _data: Any
    _full_data: Any

    def release_body(self) -> None:
        """Drop the body and everything parsed from it."""
        self.raw_body, self.sent_json, self.parser_context = b"", None, {}
        self._data = self._full_data = {}

    def slice(self, name: str) -> str:
        """Return the exact text of a member of the body's object. Raises KeyError if there is none."""
        if self.sent_json is None:
            raise KeyError(name)
        return self.sent_json.slice(name)


class ApiView(APIView):
    """An API view whose responses always carry rate-limit headers.

    `rate_scope` names a limit of its own; an unregistered name fails at start.
    """

    rate_scope: str | None = None
    # Members whose text is stored unchanged. They may contain NUL characters and lone surrogates.
    verbatim_members: frozenset[str] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.rate_scope is not None:
            find_scope(cls.rate_scope)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> ApiRequest:
        return ApiRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            self._release_body()

    def _release_body(self) -> None:
        """Drop large values early.

        A view and its request refer to each other, so both live until the garbage collector runs, which is
        triggered by the number of objects and not by their size.
        """
        self.response: Any = None
        if isinstance(request := getattr(self, "request", None), ApiRequest):
            request.release_body()

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        rate_limit_status = getattr(request, "rate_limit_status", None) or find_rate_limit_status(request)
        response["X-RateLimit-Limit"] = str(rate_limit_status.limit)
        response["X-RateLimit-Remaining"] = str(rate_limit_status.remaining)
        response["X-RateLimit-Reset"] = str(rate_limit_status.reset_at)
        response["RateLimit-Policy"] = f'"default";q={rate_limit_status.limit};w=60'
        response["RateLimit"] = (
            f'"default";r={rate_limit_status.remaining};t={rate_limit_status.seconds_left}'
        )
        return response


class NotFoundView(ApiView):
    """Answers 404 for every unknown address under /api/, with any method."""

    permission_classes = ()
    schema = None

    def answer(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        raise NotFound("There is no such address in this API. See /api/docs.")

    get = post = put = patch = delete = head = trace = answer
    options = http_method_not_allowed = answer
