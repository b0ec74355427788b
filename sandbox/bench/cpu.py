"""`python -m sandbox.bench.cpu [--only name,…] [--profile]`: microseconds of CPU per request.

Runs requests in this process, without a server and one after another, and the bare view for comparison.
Other load on the machine matters little. Exits with 1 if a response is not as expected.
"""

import argparse
import cProfile
import io
import logging
import os
import pstats
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.commands.terminal import escape_controls
from sandbox.processes import interrupt_on_signals

from .client import BARE, Case, UnexpectedResponse
from .prepare import ROOT, prepare

NAMES = (
    "analyze_10",
    "generate_300",
    "phases_store",
    "entitlement",
    "webhook_ack",
    "authenticate_cached",
    "portal_overview",
)
Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.bench.cpu", description=__doc__)
    parser.add_argument("--only", default=",".join(NAMES), help="names, separated by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=200, help="in each round")
    parser.add_argument("--profile", action="store_true", help="also profile by function")
    parser.add_argument("--rows", type=int, default=3000, help="phase rows in the database")
    parser.add_argument("--data-dir", type=Path, default=ROOT / "var" / "bench-cpu")
    args = parser.parse_args()
    try:
        with interrupt_on_signals(), prepare(args.data_dir.resolve()):
            run(args)
    except UnexpectedResponse as error:
        print(f"Unexpected response: {escape_controls(str(error))}", file=sys.stderr)
        return 1
    return 0


def run(args: argparse.Namespace) -> None:
    from django.core.wsgi import get_wsgi_application

    from .cases import make_cases
    from .rows import seed

    seeded = seed(rows=args.rows, customers=100, api_clients=50, at=datetime.now(UTC))
    cases = {"bare": BARE} | make_cases(seeded)
    application = get_wsgi_application()
    _discard_log_output()
    print("| path | CPU µs a request |\n|---|---|")
    for name in ("bare", *args.only.split(",")):
        client = WsgiClient(application, cases[name])
        client.time(args.requests)
        taken = statistics.median(client.time(args.requests) for _ in range(args.rounds))
        print(f"| {name} | {taken:.0f} |", flush=True)
        if args.profile:
            print(client.profile(args.requests), file=sys.stderr)


def _discard_log_output() -> None:
    """Format log lines as in production, but discard them."""
    devnull = open(os.devnull, "w")  # noqa: SIM115 - stays open until this process ends
    for logger in (logging.getLogger(), logging.getLogger("django")):
        for handler in logger.handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(devnull)


class WsgiClient:
    """Calls the WSGI application as a server would, with the requests of a case."""

    def __init__(self, application: Application, case: Case) -> None:
        self.application, self.case, self.sent = application, case, 0

    def time(self, requests: int) -> float:
        """Return the mean CPU time of a request, in microseconds."""
        environs = [self._make_environ() for _ in range(requests)]
        began = time.process_time()
        answers = [self._call(environ) for environ in environs]
        taken = time.process_time() - began
        for answer in answers:
            self.case.check(answer)
        return taken / requests * 1_000_000

    def profile(self, requests: int) -> str:
        """Return a profile of the slowest functions, by own and by cumulative time."""
        environs = [self._make_environ() for _ in range(requests)]
        profile = cProfile.Profile(time.process_time)
        profile.enable()
        for environ in environs:
            self._call(environ)
        profile.disable()
        text = io.StringIO()
        found = pstats.Stats(profile, stream=text).strip_dirs()
        found.sort_stats("tottime").print_stats(45)
        found.sort_stats("cumtime").print_stats(90)
        return text.getvalue()

    def _make_environ(self) -> dict[str, Any]:
        head, _, body = self.case.make(self.sent).partition(b"\r\n\r\n")
        self.sent += 1
        first, *lines = head.decode().split("\r\n")
        method, path, _ = first.split(" ")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
        }
        for line in lines:
            name, _, value = line.partition(": ")
            name = name.upper().replace("-", "_")
            environ[name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"] = value
        return environ

    def _call(self, environ: dict[str, Any]) -> bytes:
        status = ""

        def start_response(given: str, headers: list[tuple[str, str]], *_: Any) -> None:
            nonlocal status
            status = given

        response = self.application(environ, start_response)
        answer = f"HTTP/1.1 {status}\r\n\r\n".encode() + b"".join(response)
        response.close()
        return answer


if __name__ == "__main__":
    sys.exit(main())
