"""The sandbox as an HTTP server: embedded in a test, or standalone."""

import base64
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from flask import Flask, Request, Response, request
from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.stripe import API_VERSION, control_http, forms, hosted_pages, page
from sandbox.stripe.api import Api, ApiRequest, ApiResponse, ConnectionCut
from sandbox.stripe.clock import DAY
from sandbox.stripe.control import Control
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.ids import new_id
from sandbox.stripe.store import Record
from sandbox.stripe.webhooks import RETRY_DELAYS, Courier


class StripeSandbox:
    """A running sandbox: `with StripeSandbox() as stripe: … stripe.url …`.

    Serves on 127.0.0.1, on a free port unless one is given. State is kept in memory, and in the SQLite file
    `state` if given. `control` moves the clock, injects faults and inspects the state.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        state: str | None = None,
        mail_dir: str | None = None,
        retry_delays: Sequence[float] = RETRY_DELAYS,
        identifier_seconds: int = DAY,
    ) -> None:
        self.env = StripeEnvironment(state, identifier_seconds=identifier_seconds)
        self._courier = Courier(self.env, retry_delays)
        self.control = Control(self.env, self._courier)
        app = make_app(self.env, self.control, self._courier, mail_dir)
        self._server = make_server(host, port, app, threaded=True, request_handler=_Handler)
        self.port: int = self._server.server_port
        self.url = self.env.url = f"http://{host}:{self.port}"
        self._threads = [
            threading.Thread(
                target=self._server.serve_forever, args=(0.05,), daemon=True, name="stripe-http"
            ),
            threading.Thread(target=self._tick, daemon=True, name="stripe-tick"),
        ]
        self._stopped = threading.Event()

    def start(self) -> "StripeSandbox":
        self._courier.start()
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._courier.stop()
        with self.env.store.lock:
            self.env.store.close()

    def reset(self, to: list[Record] | None = None) -> None:
        """Delete everything; restore a snapshot if one is given."""
        self.control.reset(to)

    def __enter__(self) -> "StripeSandbox":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _tick(self) -> None:
        while not self._stopped.wait(1.0):
            self.control.tick()


class _Handler(WSGIRequestHandler):
    """Keeps connections open between requests, as Stripe does; prints nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


def make_app(env: StripeEnvironment, control: Control, courier: Courier, mail_dir: str | None) -> Flask:
    """Build the app: Stripe's API under /v1 and /v2, the control API under /_sandbox, the pages at /."""
    app = Flask(__name__)
    # Flask would answer ConnectionCut with a 500.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    api = Api(env, courier.wake)
    app.register_blueprint(control_http.blueprint(env, control))
    app.register_blueprint(hosted_pages.blueprint(env, control))
    app.register_blueprint(page.blueprint(env, control, mail_dir))

    @app.route("/v2/<path:rest>", methods=["GET"])
    @app.route("/v1/<path:rest>", methods=["GET", "POST", "DELETE"])
    def answer_call(rest: str) -> Response:
        started = time.monotonic()
        question_id = new_id("req", 14)
        answer: ApiResponse | None = None
        try:
            answer = _ask(api, question_id)
            return _respond(answer, question_id)
        except ConnectionCut:
            _cut_connection(request.environ)
            raise
        finally:
            env.requests.append(_log_entry(request, question_id, answer, started))

    return app


def _ask(api: Api, question_id: str) -> ApiResponse:
    try:
        # Stripe reads parameters from the query and the form alike.
        pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
        params = forms.parse(pairs)
    except StripeFailure as failure:
        return ApiResponse(failure.status, failure.body)
    return api.answer(
        ApiRequest(
            request.method,
            request.path,
            params,
            _api_key(request),
            request.headers.get("Idempotency-Key"),
            question_id,
        )
    )


def _api_key(request: Request) -> str | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    # Stripe also takes the key as a user name, as in `curl -u key:`.
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):
            return base64.b64decode(value).decode().partition(":")[0]
    return value if scheme.lower() == "bearer" else None


def _respond(answer: ApiResponse, question_id: str) -> Response:
    response = Response(json.dumps(answer.body), status=answer.status, mimetype="application/json")
    response.headers["Request-Id"] = question_id
    response.headers["Stripe-Version"] = request.headers.get("Stripe-Version", API_VERSION)
    if request.headers.get("Idempotency-Key"):
        response.headers["Idempotency-Key"] = request.headers["Idempotency-Key"]
    response.headers.update(answer.headers)
    return response


def _cut_connection(environ: dict[str, Any]) -> None:
    """Reset the connection, so that the client cannot tell whether the request was processed."""
    connection: socket.socket = environ["werkzeug.socket"]
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)


def _log_entry(request: Request, id: str, answer: ApiResponse | None, started: float) -> dict[str, Any]:
    return {
        "request_id": id,
        "method": request.method,
        "path": request.path,
        "idempotency_key": request.headers.get("Idempotency-Key"),
        "status": answer.status if answer else None,
        "replayed": bool(answer and "Idempotent-Replayed" in answer.headers),
        "ms": round((time.monotonic() - started) * 1000, 1),
    }
