"""`/metrics` of a machine that runs only workers. Gauges from the database come from the web process."""

from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from core.metrics.access import may_scrape
from core.metrics.endpoint import CONTENT_TYPE_LATEST, write_page


def serve_metrics(port: int) -> WSGIServer:
    """Serve `/metrics` in a background thread until the process ends.

    The same clients may read it as the web process's.
    """
    server = make_server("", port, answer, handler_class=_QuietRequestHandler)
    Thread(target=server.serve_forever, daemon=True, name="metrics").start()
    return server


def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/metrics" and environ["REQUEST_METHOD"] == "GET" and may_scrape(environ):
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        return [write_page()]
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"Not found.\n"]


class _QuietRequestHandler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None: ...
