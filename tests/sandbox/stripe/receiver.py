"""A webhook receiver on a free port that stores deliveries and can fail on demand."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe


class Receiver:
    """A receiver that responds with the statuses in `answers`, one by one, then with 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.received: list[tuple[str, str]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.received.append((body, self.headers["Stripe-Signature"]))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def events(self, secret: str) -> list[Any]:
        """Return all events with a valid signature, in order of arrival."""
        return [stripe.Webhook.construct_event(body, sent, secret) for body, sent in self.received]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
