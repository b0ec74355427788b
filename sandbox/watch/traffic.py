"""What Actions and browsers ask all the while, whatever they are answered."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from phases.test_integration.measure.bench import request_body

THREADS = 2
PAUSE_SECONDS = 0.1
GUESSER = "203.0.113.9"
WRONG_KEY = "rsolv_" + "w" * 43
# A browser's that was here before: its session is looked up, so pages feel a database that is away.
SESSION = f"rsolv_session={'0' * 32}"
LARGE_LINES = 12_000
LARGE_TESTS = 20
LARGE_AT_ONCE = 16


@dataclass(frozen=True)
class Runner:
    """One customer's Action: its key and the namespace of its repositories."""

    key: str
    namespace: str


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: Any = None
    key: str | None = None


class Traffic:
    """Start, then stop. `counts` has how often each status was answered."""

    def __init__(self, url: str, runners: list[Runner]) -> None:
        self._http = httpx.Client(base_url=url, timeout=20, trust_env=False)
        self._runners = itertools.cycle(runners)
        self._issues = itertools.count(1)
        self._addresses = itertools.count()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]
        self._large: list[threading.Thread] = []
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Repeating it is safe."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        self._http.close()

    def send_large(self) -> None:
        """Long files with many tests, from many runners at once; more only as these are answered."""
        self._large = [thread for thread in self._large if thread.is_alive()]
        for _ in range(LARGE_AT_ONCE - len(self._large)):
            request = generate(next(self._runners), lines=LARGE_LINES, tests=LARGE_TESTS)
            thread = threading.Thread(target=self.send, args=(request,), daemon=True)
            self._large.append(thread)
            thread.start()

    def send(self, request: Request) -> None:
        headers = {"X-API-Key": request.key} if request.key else {"Cookie": SESSION}
        headers["X-Forwarded-For"] = (
            GUESSER if request.key == WRONG_KEY else f"198.51.100.{next(self._addresses) % 250}"
        )
        try:
            answer = self._http.request(request.method, request.path, json=request.body, headers=headers)
        except httpx.HTTPError as error:
            self.counts[type(error).__name__] += 1
        else:
            self.counts[str(answer.status_code)] += 1

    def _work(self) -> None:
        while not self._stopped.is_set():
            for request in list_requests(next(self._runners), next(self._issues)):
                self.send(request)
                if self._stopped.wait(PAUSE_SECONDS):
                    return


def list_requests(runner: Runner, issue: int) -> Iterator[Request]:
    """One issue's way from scan to fix, as the Action asks for it; a page and a wrong key between."""
    key, api = runner.key, "/api/v1"
    yield Request("GET", f"{api}/entitlement", key=key)
    yield _store(runner, issue, "scan", {"vulnerabilities": []})
    yield Request("POST", f"{api}/framework/detect", {"requirementsTxt": "pytest==8.0"}, key)
    names = {"vulnerableFile": "app/search.py", "framework": "pytest"}
    candidates = ["tests/test_search.py", "tests/test_orders.py"]
    yield Request("POST", f"{api}/test-integration/analyze", names | {"candidateTestFiles": candidates}, key)
    yield Request("POST", f"{api}/test-integration/naming", names | {"type": "sql_injection"}, key)
    yield generate(runner, lines=100)
    yield _store(runner, issue, "validation", {"validated": True})
    yield Request(
        "POST", f"{api}/entitlement/claim", {"repo": f"{runner.namespace}/shop", "issueNumber": issue}, key
    )
    yield _store(runner, issue, "mitigation", {"fixed": True})
    found = f"repo={runner.namespace}/shop&issue={issue}&commit=abc"
    yield Request("GET", f"{api}/phases/retrieve?{found}", key=key)
    yield Request("GET", f"{api}/entitlement", key=WRONG_KEY)
    yield Request("GET", "/pricing/")
    signup = {"name": f"Newcomer {issue}", "email": f"newcomer-{issue}@watch.example"}
    yield Request("POST", f"{api}/customers/onboard", signup)
    yield Request("GET", f"{api}/entitlement", key=WRONG_KEY)


def generate(runner: Runner, *, lines: int, tests: int = 1) -> Request:
    """So many tests for a file of so many lines."""
    sent: Any = request_body("pytest", lines)
    (test,) = sent["testSuite"]["redTests"]
    sent["testSuite"]["redTests"] = [
        test | {"testName": f"{test['testName']} {number}"} for number in range(tests)
    ]
    return Request("POST", "/api/v1/test-integration/generate", sent, runner.key)


def _store(runner: Runner, issue: int, phase: str, data: dict[str, Any]) -> Request:
    sent = {"phase": phase, "repo": f"{runner.namespace}/shop", "commitSha": "abc", "data": data}
    return Request("POST", "/api/v1/phases/store", sent | {"issueNumber": issue}, runner.key)
