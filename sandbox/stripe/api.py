"""One API call: authentication, idempotency, the handler, and the response."""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe import resources
from sandbox.stripe.billing.timeline import catch_up
from sandbox.stripe.environment import NO_REQUEST, StripeEnvironment
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.faults import Fault
from sandbox.stripe.idempotency import IdempotencyKeys
from sandbox.stripe.render import expanded, present
from sandbox.stripe.routing import Route, resolve
from sandbox.stripe.store import Record

_log = logging.getLogger(__name__)
# Statuses that Stripe does not store under an idempotency key: nothing was tried yet.
NEVER_KEPT = (401, 409, 429)
_KEY = re.compile(r"^(sk|rk)_(test|live)_[A-Za-z0-9]{24,}$")


class ConnectionCut(ConnectionError):
    """Close the connection without a response.

    As a ConnectionError, werkzeug takes it for a client that has gone, and answers nothing.
    """


@dataclass
class ApiRequest:
    """A request as received. `params` is the parsed form, not validated yet."""

    method: str
    path: str
    params: dict[str, Any]
    key: str | None
    idempotency_key: str | None
    id: str


@dataclass
class ApiResponse:
    status: int
    body: Record
    headers: dict[str, str] = field(default_factory=dict)


class Api:
    """Answers requests against one environment."""

    def __init__(self, env: StripeEnvironment, written: Callable[[], None]) -> None:
        self._env = env
        self._keys = IdempotencyKeys(env.store)
        self._written = written

    def answer(self, request: ApiRequest) -> ApiResponse:
        """Return the response to any request; raises only ConnectionCut."""
        try:
            self._check_key(request.key)
            return self._faulty(request)
        except StripeFailure as failure:
            # Stripe's client obeys this header. Of these failures, only a conflict ends by itself.
            retry = "true" if failure.status == 409 else "false"
            return ApiResponse(failure.status, failure.body, {"Stripe-Should-Retry": retry})
        except ConnectionCut:
            raise
        except Exception as error:
            _log.exception("the sandbox failed at %s %s", request.method, request.path)
            message = f"The sandbox itself failed: {type(error).__name__}: {error}"
            return ApiResponse(500, StripeFailure(message, status=500, type="api_error").body)

    def _check_key(self, key: str | None) -> None:
        if not key:
            message = "You did not provide an API key in the Authorization header."
            raise StripeFailure(message, status=401, saved=False)
        if not _KEY.match(key):
            shown = f"{key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}"
            raise StripeFailure(f"Invalid API Key provided: {shown}", status=401, saved=False)

    def _faulty(self, request: ApiRequest) -> ApiResponse:
        """Return the response after applying the faults.

        Waits outside the lock, with the idempotency key in use.
        """
        with self._env.store.lock:
            faults = self._env.faults.for_request(request.method, request.path)
        broken = next((fault for fault in faults if fault.kind != "latency"), None)
        if broken and broken.kind == "cut_before":
            raise ConnectionCut
        if broken and broken.kind == "status" and not broken.after:
            return self._kept(request, _broken(broken))
        wait = sum(fault.ms for fault in faults if fault.kind == "latency") / 1000
        answer = self._once(request, wait)
        if broken and broken.kind == "cut_after":
            raise ConnectionCut
        if not broken:
            return answer
        # A replay did no work: the response of the first request stays stored.
        replayed = "Idempotent-Replayed" in answer.headers
        return _broken(broken) if replayed else self._kept(request, _broken(broken), over=True)

    def _kept(self, request: ApiRequest, answer: ApiResponse, *, over: bool = False) -> ApiResponse:
        """Return a fault's response, stored under the idempotency key as Stripe stores its own errors.

        409 and 429 are not stored. An existing response of the key is kept, unless this one is `over` the
        work that was just done.
        """
        key = request.idempotency_key if request.method == "POST" else None
        if not key or answer.status in NEVER_KEPT:
            return answer
        with self._env.store.lock:
            if not over and not self._keys.is_free(key, self._env.now()):
                return answer
            self._save(request, key, answer)
        # The client must not retry: it would only get this response again.
        return ApiResponse(answer.status, answer.body, {"Stripe-Should-Retry": "false"})

    def _once(self, request: ApiRequest, wait: float) -> ApiResponse:
        """Run the handler, unless this idempotency key has a stored response."""
        key = request.idempotency_key if request.method == "POST" else None
        if not key:
            time.sleep(wait)
            return self._work(request, None)
        with self._env.store.lock:
            # In use until `end`: a second request during the wait gets a conflict, as at Stripe.
            known = self._keys.begin(key, request.path, request.params, self._env.now())
        if known:
            return ApiResponse(known["status"], known["body"], {"Idempotent-Replayed": "true"})
        try:
            time.sleep(wait)
            return self._work(request, key)
        finally:
            with self._env.store.lock:
                self._keys.end(key)

    def _work(self, request: ApiRequest, key: str | None) -> ApiResponse:
        env = self._env
        with env.store.lock:
            # Outside the transaction: what is due happens even if the request fails.
            catch_up(env, env.now())
            env.request = {"id": request.id, "idempotency_key": request.idempotency_key}
            try:
                with env.store.transaction():
                    # In one transaction with its response: after a crash, a retry is replayed or repeated.
                    answer = ApiResponse(200, self._run(request))
                    self._save(request, key, answer)
                return answer
            except StripeFailure as failure:
                # Only now, because the rollback of the work would have removed it.
                if failure.saved:
                    self._save(request, key, ApiResponse(failure.status, failure.body))
                raise
            finally:
                env.request = NO_REQUEST
                self._written()

    def _run(self, request: ApiRequest) -> Record:
        route, ids = resolve(request.method, request.path)
        params = self._read(route, request)
        result = route.handler(self._env, params, *ids)
        return expanded(self._env.store, self._shown(result), params.get("expand") or [])

    def _read(self, route: Route, request: ApiRequest) -> dict[str, Any]:
        return route.shape.read(request.params) or {}

    def _shown(self, result: Record) -> Record:
        """Render records; computed objects and lists of records are returned as they are."""
        if result.get("object") in ("list", "search_result"):
            return {**result, "data": [self._shown(each) for each in result["data"]]}
        # Only records have `_seq`.
        return present(self._env.store, result) if "_seq" in result else result

    def _save(self, request: ApiRequest, key: str | None, answer: ApiResponse) -> None:
        if key:
            now = self._env.now()
            self._keys.save(key, request.path, request.params, now, answer.status, answer.body)


def _broken(fault: Fault) -> ApiResponse:
    if fault.status == 429:
        failure = StripeFailure("Request rate limit exceeded.", status=429, code="rate_limit")
    else:
        failure = StripeFailure("An unknown error occurred", status=fault.status, type="api_error")
    return ApiResponse(fault.status, failure.body)


__all__ = ["ApiResponse", "Api", "ConnectionCut", "ApiRequest", "resources"]
