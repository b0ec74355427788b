"""How large a form may be. Django bounds its fields, but not a file in it, which it writes to disk first."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rsolv.api.bodies import drain, read_length


class PageBodyMiddleware:
    """Answers 413 to a body over DATA_UPLOAD_MAX_MEMORY_SIZE, by its announced length."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if read_length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            drain(request)
            return render(request, "413.html", status=413)
        return self.get_response(request)
