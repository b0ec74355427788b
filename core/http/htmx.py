"""What a part of a page that fetches itself anew (htmx) is answered with."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def is_htmx(request: HttpRequest) -> bool:
    """Whether a part of a page asks, and not a person who opens the address."""
    return request.headers.get("HX-Request") == "true"


def redirect_whole_page(view: View[P]) -> View[P]:
    """A redirect is for the whole page: told to its part as one, it would be followed inside of it."""

    @wraps(view)
    def led(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if is_htmx(request) and 300 <= response.status_code < 400:
            return HttpResponse(headers={"HX-Redirect": response["Location"]})
        return response

    return led
