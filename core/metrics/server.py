"""`/metrics` of a machine that runs workers only. What is read from the database is told by the web's."""

from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from core.metrics.access import may_scrape
from core.metrics.endpoint import CONTENT_TYPE_LATEST, write_page


def serve_metrics(port: int) -> WSGIServer:
    """Serve in the background, for the same callers as the web's `/metrics`, until the process ends."""
    server = make_server("", port, answer, handler_class=_Quiet)
    Thread(target=server.serve_forever, daemon=True, name="metrics").start()
    return server


def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/metrics" and environ["REQUEST_METHOD"] == "GET" and may_scrape(environ):
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        return [write_page()]
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"There is nothing here under that name.\n"]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None: ...
