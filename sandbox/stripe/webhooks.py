"""Deliver signed webhooks: a thread sends pending deliveries, in order for each object, and retries."""

import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Sequence

import httpx

from sandbox.stripe import events
from sandbox.stripe.billing import finalization
from sandbox.stripe.environment import StripeEnvironment
from sandbox.stripe.store import Record

_log = logging.getLogger(__name__)
RETRY_DELAYS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0)


def signature(secret: str, payload: str, timestamp: int) -> str:
    """Return the `Stripe-Signature` header.

    Its timestamp is real time, to be within the receiver's tolerance.
    """
    digest = hmac.new(secret.encode(), f"{timestamp}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class Courier(threading.Thread):
    """Sends pending deliveries one at a time. Gives up after the last of `retry_delays` (seconds)."""

    def __init__(self, env: StripeEnvironment, retry_delays: Sequence[float] = RETRY_DELAYS) -> None:
        super().__init__(name="stripe-courier", daemon=True)
        self._env = env
        self._delays = retry_delays
        self._not_before: dict[str, float] = {}
        self._overtakable: set[str] = set()
        self._met: set[str] = set()
        self._wake = threading.Event()
        self._stopped = False
        # Without the environment's proxies: receivers are on this machine.
        self._client = httpx.Client(timeout=10, trust_env=False)

    def wake(self) -> None:
        """Wake the thread to look for pending deliveries."""
        self._wake.set()

    def stop(self) -> None:
        self._stopped = True
        self.wake()
        self.join(timeout=5)
        self._client.close()

    def flush(self, timeout: float) -> int:
        """Wait until nothing is pending or the timeout; return the number still pending."""
        deadline = time.monotonic() + timeout
        while True:
            with self._env.store.lock:
                pending = self._env.store.count("sandbox.delivery", status="pending")
            if not pending or time.monotonic() > deadline:
                return pending
            self.wake()
            time.sleep(0.005)

    def run(self) -> None:
        while not self._stopped:
            # Before looking, so that what is stored from here on wakes the thread again.
            self._wake.clear()
            try:
                with self._env.store.lock:
                    ready = self._next()
                if ready:
                    self._send(ready)
                else:
                    self._wake.wait(timeout=0.02 if self._not_before else 1.0)
            except Exception:
                _log.exception("a delivery failed inside the sandbox")
                self._wake.wait(timeout=1.0)

    def _next(self) -> Record | None:
        """Return the oldest pending delivery that is due and has no older one of the same object waiting."""
        if not self._env.store.count("sandbox.delivery", status="pending"):
            self._forget()
        found, settled = self._look()
        while settled:
            found, settled = self._look()
        return found

    def _look(self) -> tuple[Record | None, bool]:
        """Return what is due, and whether a fault has settled a delivery, so that the queue has changed."""
        waiting: set[tuple[str, str]] = set()
        for record in self._env.store.oldest("sandbox.delivery", status="pending"):
            # Stripe promises no order. Here each object's is kept, so that tests repeat; a fault changes it.
            lane = (record["endpoint"], record["subject"])
            if lane in waiting:
                continue
            if record["id"] not in self._met and self._meet(record)["status"] != "pending":
                return None, True
            if self._not_before.get(record["id"], 0) <= time.monotonic():
                return record, False
            if record["id"] not in self._overtakable:
                waiting.add(lane)
        return None, False

    def _forget(self) -> None:
        """Clear the per-delivery state, since nothing is pending."""
        self._not_before.clear()
        self._overtakable.clear()
        self._met.clear()

    def _meet(self, record: Record) -> Record:
        """Let the faults decide, once, what happens to a delivery."""
        self._met.add(record["id"])
        fault = None if record["duplicate_of"] else self._env.faults.for_webhook(record["type"])
        if fault is None:
            return record
        if fault.kind == "webhook_drop":
            return self._settle(record, "dropped")
        if fault.kind == "webhook_duplicate":
            copy = {**record, "id": f"{record['id']}_again", "duplicate_of": record["id"]}
            self._env.store.insert(copy)
            return record
        self._not_before[record["id"]] = time.monotonic() + fault.ms / 1000
        if fault.kind == "webhook_reorder":
            self._overtakable.add(record["id"])
        return record

    def _send(self, record: Record) -> None:
        with self._env.store.lock:
            store = self._env.store
            if not store.find(record["id"]):
                return  # The sandbox has been reset in the meantime.
            endpoint, event = store.find(record["endpoint"]), store.find(record["event"])
            if not endpoint or not event or endpoint.get("deleted") or endpoint["status"] != "enabled":
                self._settle(record, "dropped")
                return
            # Posted outside the lock: the receiver may call the API before it answers.
            payload = json.dumps(events.payload(store, event), indent=2)
        code, error = self._post(endpoint, payload)
        with self._env.store.lock:
            if self._env.store.find(record["id"]):
                self._note(record, code, error)

    def _post(self, endpoint: Record, payload: str) -> tuple[int | None, str | None]:
        if endpoint["url"].startswith(f"{self._env.url}/"):
            return 200, None  # Ours: of a test that delivers the events itself.
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(endpoint["_secret"], payload, int(time.time())),
        }
        try:
            answer = self._client.post(endpoint["url"], content=payload, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return None, f"{type(error).__name__}: {error}"
        return answer.status_code, None if answer.is_success else answer.text[:200]

    def _note(self, record: Record, code: int | None, error: str | None) -> None:
        attempts = record["attempts"] + 1
        answers = [*record["answers"], {"at": int(time.time()), "code": code, "error": error}]
        record = self._env.store.replace(
            record, attempts=attempts, answers=answers, response_code=code, error=error
        )
        if code is not None and 200 <= code < 300:
            # No time passes until the first attempt, even if the clock was moved meanwhile.
            at = record["created"] if attempts == 1 else self._env.now()
            record = self._env.store.replace(record, answered_at=at)
            finalization.reschedule(self._env.store, self._settle(record, "delivered"))
        elif attempts > len(self._delays):
            self._settle(record, "failed")
        else:
            self._not_before[record["id"]] = time.monotonic() + self._delays[attempts - 1]

    def _settle(self, record: Record, status: str) -> Record:
        self._not_before.pop(record["id"], None)
        self._overtakable.discard(record["id"])
        self._met.discard(record["id"])
        event = self._env.store.find(record["event"])
        if event and "pending_webhooks" in event and status == "delivered" and not record["duplicate_of"]:
            self._env.store.replace(event, pending_webhooks=max(0, event["pending_webhooks"] - 1))
        return self._env.store.replace(record, status=status)
