"""`GET /metrics` before anything else, and the count of every other request."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django_prometheus.middleware import PrometheusAfterMiddleware

from core.metrics.access import may_scrape
from core.metrics.collectors import read_gauges
from core.metrics.endpoint import CONTENT_TYPE_LATEST, write_page

PATH = "/metrics"


class ScrapeMiddleware:
    """Answers the scraper; to everybody else `/metrics` is an address like any that does not exist.

    It stands first: a scrape has no session and no limit, counts as no request, leaves no line in the log,
    and asks for the page by whatever name the scraper has for this machine.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == PATH and request.method == "GET" and may_scrape(request.META):
            page = write_page(read_gauges())
            headers = {"Cache-Control": "no-store"}
            return HttpResponse(page, content_type=CONTENT_TYPE_LATEST, headers=headers)
        return self.get_response(request)


class CountMiddleware(PrometheusAfterMiddleware):
    """Requests by view. What matches no view has one name, as has an odd method: no caller makes labels."""

    def label_metric(self, metric: Any, request: HttpRequest, response: Any = None, **labels: str) -> Any:
        if "method" in labels:
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)
