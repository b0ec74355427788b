"""Middleware that reports a request's number of queries in a response header, if a request header asks."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

REQUEST_HEADER = "X-Count-Queries"
RESPONSE_HEADER = "X-Queries"


class CountQueriesMiddleware:
    """Sets RESPONSE_HEADER to the number of queries of a request that has REQUEST_HEADER."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if REQUEST_HEADER not in request.headers:
            return self.get_response(request)
        seen = 0

        def count(execute: Any, *args: Any) -> Any:
            nonlocal seen
            seen += 1
            return execute(*args)

        with connection.execute_wrapper(count):
            response = self.get_response(request)
        response[RESPONSE_HEADER] = str(seen)
        return response
