"""The customers' runners: threads that send the plan's reports and retry each until it gets a 2xx."""

import queue
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx

from .plan import Issue, Plan, Step

THREADS = 6
PAUSE_SECONDS = 0.3
# An idempotency key stays locked for a minute if its request's process was killed: then use another key.
MAX_KEY_CONFLICTS = 10
# Responses that leave the outcome unknown or ask for a retry.
RETRYABLE_STATUSES = (408, 409, 425, 429, 500, 502, 503, 504)


class Clients:
    """The runners of all customers. Call `start`, then poll `is_done`.

    `counts` has the number of requests and of responses by kind, `rejected` the final rejections. `pace` is
    the maximum number of issues begun per second.
    """

    def __init__(self, *, url: str, plan: Plan, keys: dict[int, str], pace: float) -> None:
        self._http = httpx.Client(
            base_url=url, timeout=10, trust_env=False, limits=httpx.Limits(max_connections=4 * THREADS)
        )
        self._plan = plan
        self._keys = keys
        self._pause = THREADS / pace
        self._queue: queue.SimpleQueue[Issue] = queue.SimpleQueue()
        for issue in plan.issues:
            self._queue.put(issue)
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]
        self._copiers = ThreadPoolExecutor(max_workers=2 * THREADS)
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.rejected: list[str] = []

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        self._copiers.shutdown()
        self._http.close()

    @property
    def is_done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                issue = self._queue.get_nowait()
            except queue.Empty:
                return
            began = time.monotonic()
            self._send_all(issue)
            self._stopped.wait(max(0.0, self._pause - (time.monotonic() - began)))

    def _send_all(self, issue: Issue) -> None:
        for step in issue.steps:
            key = str(uuid.uuid4()) if step.has_key else None
            # Parallel copies with the same key, as if a runner had repeated a slow request.
            copies = [self._copiers.submit(self._send, issue, step, key) for _ in range(step.copies)]
            for copy in copies:
                copy.result()
        self._count("issues")

    def _send(self, issue: Issue, step: Step, key: str | None) -> None:
        headers = {"X-API-Key": self._keys[issue.client]} | ({"Idempotency-Key": key} if key else {})
        conflicts = 0
        namespace = self._plan.clients[issue.client].namespace
        body = {
            "phase": "mitigation",
            "repo": f"{namespace}/{issue.repository}",
            "commitSha": step.commit,
            "issueNumber": issue.number,
            "data": step.data,
        }
        while not self._stopped.is_set():
            self._count("requests")
            try:
                answer = self._http.post("/api/v1/phases/store", json=body, headers=headers)
            except httpx.HTTPError as error:
                self._count(f"no_answer_{type(error).__name__}")
            else:
                self._count(f"answer_{answer.status_code}")
                if answer.is_success:
                    return
                if answer.status_code not in RETRYABLE_STATUSES:
                    self.rejected.append(f"{issue.key}: {answer.status_code} {answer.text[:200]}")
                    return
                conflicts += answer.status_code == 409
                if key and conflicts == MAX_KEY_CONFLICTS:
                    headers["Idempotency-Key"] = str(uuid.uuid4())
            self._stopped.wait(PAUSE_SECONDS)

    def _count(self, name: str) -> None:
        with self._lock:
            self.counts[name] += 1
