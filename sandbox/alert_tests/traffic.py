"""Continuous requests of Actions and browsers during a run, whatever the responses are."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from phases.test_integration.measure.bench import request_body

THREADS = 2
PAUSE_SECONDS = 0.15
SLOW_PAUSE_SECONDS = 1.0
# Not every issue comes with a signup, because signups are the most work for the worker.
ISSUES_PER_SIGNUP = 3
WRONG_KEY_ADDRESS = "203.0.113.9"
WRONG_KEY = "rsolv_" + "w" * 43
# A session cookie, so that pages query the database.
SESSION = f"rsolv_session={'0' * 32}"
LARGE_LINES = 12_000
LARGE_TESTS = 20
LARGE_AT_ONCE = 16


@dataclass(frozen=True)
class ActionClient:
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
    """Threads that send requests between `start` and `stop`.

    `counts` has the number of responses by status, `pause_seconds` may be changed at any time.
    """

    def __init__(self, url: str, clients: list[ActionClient]) -> None:
        self._http = httpx.Client(base_url=url, timeout=20, trust_env=False)
        self._clients = itertools.cycle(clients)
        self._issues = itertools.count(1)
        self._addresses = itertools.count()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]
        self._large: list[threading.Thread] = []
        self.counts: Counter[str] = Counter()
        self.pause_seconds = PAUSE_SECONDS

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop all threads. Safe to repeat."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        self._http.close()

    def send_entitlement(self) -> None:
        """Send one request that depends only on its key."""
        self.send(Request("GET", "/api/v1/entitlement", key=next(self._clients).key))

    def send_large(self) -> None:
        """Keep LARGE_AT_ONCE requests with large files and many tests in flight."""
        self._large = [thread for thread in self._large if thread.is_alive()]
        for _ in range(LARGE_AT_ONCE - len(self._large)):
            request = generate(next(self._clients), lines=LARGE_LINES, tests=LARGE_TESTS)
            thread = threading.Thread(target=self.send, args=(request,), daemon=True)
            self._large.append(thread)
            thread.start()

    def send(self, request: Request) -> None:
        """Send one request and count its status, or the exception's name if there is no response."""
        headers = {"X-API-Key": request.key} if request.key else {"Cookie": SESSION}
        headers["X-Forwarded-For"] = (
            WRONG_KEY_ADDRESS if request.key == WRONG_KEY else f"198.51.100.{next(self._addresses) % 250}"
        )
        try:
            answer = self._http.request(request.method, request.path, json=request.body, headers=headers)
        except httpx.HTTPError as error:
            self.counts[type(error).__name__] += 1
        else:
            self.counts[str(answer.status_code)] += 1

    def _work(self) -> None:
        while not self._stopped.is_set():
            for request in list_requests(next(self._clients), next(self._issues)):
                self.send(request)
                if self._stopped.wait(self.pause_seconds):
                    return


def list_requests(client: ActionClient, issue: int) -> Iterator[Request]:
    """Yield an Action's requests for one issue, from scan to fix, plus a page and wrong keys."""
    key, api = client.key, "/api/v1"
    yield Request("GET", f"{api}/entitlement", key=key)
    yield _store(client, issue, "scan", {"vulnerabilities": []})
    yield Request("POST", f"{api}/framework/detect", {"requirementsTxt": "pytest==8.0"}, key)
    names = {"vulnerableFile": "app/search.py", "framework": "pytest"}
    candidates = ["tests/test_search.py", "tests/test_orders.py"]
    yield Request("POST", f"{api}/test-integration/analyze", names | {"candidateTestFiles": candidates}, key)
    yield Request("POST", f"{api}/test-integration/naming", names | {"type": "sql_injection"}, key)
    yield generate(client, lines=100)
    yield _store(client, issue, "validation", {"validated": True})
    yield Request(
        "POST", f"{api}/entitlement/claim", {"repo": f"{client.namespace}/shop", "issueNumber": issue}, key
    )
    yield _store(client, issue, "mitigation", {"fixed": True})
    found = f"repo={client.namespace}/shop&issue={issue}&commit=abc"
    yield Request("GET", f"{api}/phases/retrieve?{found}", key=key)
    yield Request("GET", f"{api}/entitlement", key=WRONG_KEY)
    yield Request("GET", "/pricing/")
    if issue % ISSUES_PER_SIGNUP == 1:
        signup = {"name": f"Newcomer {issue}", "email": f"newcomer-{issue}@alerts.example"}
        yield Request("POST", f"{api}/customers/onboard", signup)
    yield Request("GET", f"{api}/entitlement", key=WRONG_KEY)


def generate(client: ActionClient, *, lines: int, tests: int = 1) -> Request:
    """Return a request that inserts `tests` tests into a file of `lines` lines."""
    sent: Any = request_body("pytest", lines)
    (test,) = sent["testSuite"]["redTests"]
    sent["testSuite"]["redTests"] = [
        test | {"testName": f"{test['testName']} {number}"} for number in range(tests)
    ]
    return Request("POST", "/api/v1/test-integration/generate", sent, client.key)


def _store(client: ActionClient, issue: int, phase: str, data: dict[str, Any]) -> Request:
    sent = {"phase": phase, "repo": f"{client.namespace}/shop", "commitSha": "abc", "data": data}
    return Request("POST", "/api/v1/phases/store", sent | {"issueNumber": issue}, client.key)
