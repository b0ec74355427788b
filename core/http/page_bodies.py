"""Reject oversized bodies and NUL characters in page requests before a view reads them."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.api.bodies import drain, read_length


class PageBodyMiddleware:
    """Answer 413 if Content-Length exceeds DATA_UPLOAD_MAX_MEMORY_SIZE, and 400 to a NUL character.

    Django limits the fields of a form, but not its files, which it writes to disk first. PostgreSQL's text
    columns cannot store a NUL, and no form of ours needs one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if read_length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            drain(request)
            return render(request, "413.html", status=413)
        if has_nul(request):
            raise BadRequest("The request contains a NUL character.")
        return self.get_response(request)


def has_nul(request: HttpRequest) -> bool:
    """Return whether the path, the query string or a form field contains a NUL character."""
    sent = [request.path, *(text for _, texts in request.GET.lists() for text in texts)]
    # Parses the form, after the check of its length.
    if request.method == "POST":
        sent += [text for _, texts in request.POST.lists() for text in texts]
    return any("\x00" in text for text in sent)
