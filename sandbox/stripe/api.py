"""One API call: who asks, what was asked before, the work, and the answer."""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe import resources
from sandbox.stripe.billing.timeline import catch_up
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.faults import Fault
from sandbox.stripe.idempotency import IdempotencyKeys
from sandbox.stripe.render import expanded, present
from sandbox.stripe.routing import Route, resolve
from sandbox.stripe.store import Record
from sandbox.stripe.world import NO_REQUEST, World

_log = logging.getLogger(__name__)
NEVER_KEPT = (401, 409, 429)
_KEY = re.compile(r"^(sk|rk)_(test|live)_[A-Za-z0-9]{24,}$")


class Cut(ConnectionError):
    """The connection is to be closed without an answer."""


@dataclass
class Question:
    """What came over the wire. `params` is the parsed but unread form."""

    method: str
    path: str
    params: dict[str, Any]
    key: str | None
    idempotency_key: str | None
    id: str


@dataclass
class Answer:
    status: int
    body: Record
    headers: dict[str, str] = field(default_factory=dict)


class Api:
    """Answers questions against one world."""

    def __init__(self, world: World, written: Callable[[], None]) -> None:
        self._world = world
        self._keys = IdempotencyKeys(world.store)
        self._written = written

    def answer(self, question: Question) -> Answer:
        """The answer, whatever happens; raises only Cut."""
        try:
            self._check_key(question.key)
            return self._faulty(question)
        except StripeFailure as failure:
            retry = "true" if failure.status == 409 else "false"
            return Answer(failure.status, failure.body, {"Stripe-Should-Retry": retry})
        except Cut:
            raise
        except Exception as error:
            _log.exception("the sandbox failed at %s %s", question.method, question.path)
            message = f"The sandbox itself failed: {type(error).__name__}: {error}"
            return Answer(500, StripeFailure(message, status=500, type="api_error").body)

    def _check_key(self, key: str | None) -> None:
        if not key:
            message = "You did not provide an API key in the Authorization header."
            raise StripeFailure(message, status=401, saved=False)
        if not _KEY.match(key):
            shown = f"{key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}"
            raise StripeFailure(f"Invalid API Key provided: {shown}", status=401, saved=False)

    def _faulty(self, question: Question) -> Answer:
        """Answer as the faults allow. Waiting happens outside the lock, with the key in flight."""
        with self._world.store.lock:
            faults = self._world.faults.for_request(question.method, question.path)
        broken = next((fault for fault in faults if fault.kind != "latency"), None)
        if broken and broken.kind == "cut_before":
            raise Cut
        if broken and broken.kind == "status" and not broken.after:
            return self._kept(question, _broken(broken))
        wait = sum(fault.ms for fault in faults if fault.kind == "latency") / 1000
        answer = self._once(question, wait)
        if broken and broken.kind == "cut_after":
            raise Cut
        if not broken:
            return answer
        replayed = "Idempotent-Replayed" in answer.headers
        return _broken(broken) if replayed else self._kept(question, _broken(broken), over=True)

    def _kept(self, question: Question, answer: Answer, *, over: bool = False) -> Answer:
        """A fault's answer, remembered under the idempotency key as Stripe remembers its own failures.

        Not 409 and 429. What a key already remembers stays, unless the answer is `over` work just done.
        """
        key = question.idempotency_key if question.method == "POST" else None
        if not key or answer.status in NEVER_KEPT:
            return answer
        with self._world.store.lock:
            if not over and not self._keys.is_free(key, self._world.now()):
                return answer
            self._save(question, key, answer)
        return Answer(answer.status, answer.body, {"Stripe-Should-Retry": "false"})

    def _once(self, question: Question, wait: float) -> Answer:
        """Do the work, unless this idempotency key has done it."""
        key = question.idempotency_key if question.method == "POST" else None
        if not key:
            time.sleep(wait)
            return self._work(question, None)
        with self._world.store.lock:
            known = self._keys.begin(key, question.path, question.params, self._world.now())
        if known:
            return Answer(known["status"], known["body"], {"Idempotent-Replayed": "true"})
        try:
            time.sleep(wait)
            return self._work(question, key)
        finally:
            with self._world.store.lock:
                self._keys.end(key)

    def _work(self, question: Question, key: str | None) -> Answer:
        world = self._world
        with world.store.lock:
            catch_up(world, world.now())
            world.request = {"id": question.id, "idempotency_key": question.idempotency_key}
            try:
                with world.store.transaction():
                    answer = Answer(200, self._run(question))
                    self._save(question, key, answer)
                return answer
            except StripeFailure as failure:
                if failure.saved:
                    self._save(question, key, Answer(failure.status, failure.body))
                raise
            finally:
                world.request = NO_REQUEST
                self._written()

    def _run(self, question: Question) -> Record:
        route, ids = resolve(question.method, question.path)
        params = self._read(route, question)
        result = route.handler(self._world, params, *ids)
        return expanded(self._world.store, self._shown(result), params.get("expand") or [])

    def _read(self, route: Route, question: Question) -> dict[str, Any]:
        return route.shape.read(question.params) or {}

    def _shown(self, result: Record) -> Record:
        """Records are presented; computed objects and lists of records pass through."""
        if result.get("object") in ("list", "search_result"):
            return {**result, "data": [self._shown(each) for each in result["data"]]}
        return present(self._world.store, result) if "_seq" in result else result

    def _save(self, question: Question, key: str | None, answer: Answer) -> None:
        if key:
            now = self._world.now()
            self._keys.save(key, question.path, question.params, now, answer.status, answer.body)


def _broken(fault: Fault) -> Answer:
    if fault.status == 429:
        failure = StripeFailure("Request rate limit exceeded.", status=429, code="rate_limit")
    else:
        failure = StripeFailure("An unknown error occurred", status=fault.status, type="api_error")
    return Answer(fault.status, failure.body)


__all__ = ["Answer", "Api", "Cut", "Question", "resources"]
