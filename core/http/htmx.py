"""Responses to htmx requests, which reload a part of a page."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def is_htmx(request: HttpRequest) -> bool:
    """Return whether htmx made the request, as opposed to a browser opening the page."""
    return request.headers.get("HX-Request") == "true"


def redirect_whole_page(view: View[P]) -> View[P]:
    """Make a view's redirects reload the whole page when htmx made the request.

    htmx would follow an ordinary redirect and insert the new page into the part.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if is_htmx(request) and 300 <= response.status_code < 400:
            return HttpResponse(headers={"HX-Redirect": response["Location"]})
        return response

    return wrapped
