"""What a form or an address of a page may hold, before any view reads it."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.api.bodies import drain, read_length


class PageBodyMiddleware:
    """Answers 413 to a body over DATA_UPLOAD_MAX_MEMORY_SIZE, by its announced length, and 400 to a NUL.

    Django bounds the fields of a form, but not a file in it, which it writes to disk first. No text column of
    PostgreSQL holds a NUL, and no form field of ours has one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if read_length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            drain(request)
            return render(request, "413.html", status=413)
        if has_nul(request):
            raise BadRequest("There is a NUL character in the request.")
        return self.get_response(request)


def has_nul(request: HttpRequest) -> bool:
    """Whether one is in the path, in the query or in a field of the form."""
    sent = [request.path, *(text for _, texts in request.GET.lists() for text in texts)]
    if request.method == "POST":
        sent += [text for _, texts in request.POST.lists() for text in texts]
    return any("\x00" in text for text in sent)
