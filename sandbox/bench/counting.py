"""How many queries a request makes, told in a header to the bench, which asks by another."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

ASK = "X-Count-Queries"
ANSWER = "X-Queries"


class CountQueriesMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if ASK not in request.headers:
            return self.get_response(request)
        seen = 0

        def count(execute: Any, *args: Any) -> Any:
            nonlocal seen
            seen += 1
            return execute(*args)

        with connection.execute_wrapper(count):
            response = self.get_response(request)
        response[ANSWER] = str(seen)
        return response
