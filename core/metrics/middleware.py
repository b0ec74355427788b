"""Serve `GET /metrics`, and count all other requests by view."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django_prometheus.middleware import PrometheusAfterMiddleware

from core.metrics.access import may_scrape
from core.metrics.collectors import read_gauges
from core.metrics.endpoint import CONTENT_TYPE_LATEST, write_page

PATH = "/metrics"


class ScrapeMiddleware:
    """Serve `/metrics` to the scraper. Everybody else gets the ordinary 404.

    It must be the first middleware: a scrape has no session, rate limit or log line, is not counted as a
    request, and may use any Host header.
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
    """Count requests by view.

    Unknown paths share one label, and so do unusual methods, so that clients cannot create series.
    """

    def label_metric(self, metric: Any, request: HttpRequest, response: Any = None, **labels: str) -> Any:
        if "method" in labels:
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)
