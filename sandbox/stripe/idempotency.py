"""Idempotency keys: the same request gets the same response, a different one is rejected."""

import hashlib
import json
from typing import Any

from sandbox.stripe.clock import DAY
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.store import Record, Store


class IdempotencyKeys:
    """Responses by key, kept for a day of sandbox time. Callers hold the store's lock."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # Not in the store: after a crash, nothing is in progress.
        self._in_flight: set[str] = set()

    def begin(self, key: str, path: str, params: dict[str, Any], now: int) -> Record | None:
        """Return the stored response (`status`, `body`), or None.

        After None, the caller does the work and must call `end`.
        """
        request = _fingerprint(path, params)
        known = self._store.find(_name(key))
        if known and known["created"] + DAY > now:
            if known["request"] != request:
                raise _mismatch(key, path, known["path"])
            return known
        if key in self._in_flight:
            raise _conflict(key)
        self._in_flight.add(key)
        return None

    def is_free(self, key: str, now: int) -> bool:
        """Whether the key has no stored response and is not in use."""
        known = self._store.find(_name(key))
        return key not in self._in_flight and not (known and known["created"] + DAY > now)

    def save(self, key: str, path: str, params: dict[str, Any], now: int, status: int, body: Any) -> None:
        """Store the response, in the transaction of the work."""
        known = self._store.find(_name(key))
        if known:
            self._store.delete(known)
        self._store.insert(
            {
                "id": _name(key),
                "object": "sandbox.idempotency_key",
                "created": now,
                "path": path,
                "request": _fingerprint(path, params),
                "status": status,
                "body": body,
            }
        )

    def end(self, key: str) -> None:
        self._in_flight.discard(key)


def _name(key: str) -> str:
    return f"key:{key}"


def _fingerprint(path: str, params: dict[str, Any]) -> str:
    text = json.dumps([path, params], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _mismatch(key: str, path: str, first_path: str) -> StripeFailure:
    if path != first_path:
        message = (
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{path}' vs '{first_path}'). Try using a key other than '{key}' if you meant to execute a "
            "different request."
        )
    else:
        message = (
            "Keys for idempotent requests can only be used with the same parameters they were first used "
            f"with. Try using a key other than '{key}' if you meant to execute a different request."
        )
    return StripeFailure(message, type="idempotency_error", saved=False)


def _conflict(key: str) -> StripeFailure:
    message = (
        f"There is currently another in-progress request using this Stripe-Idempotent-Key: {key}. "
        "Please try again later."
    )
    return StripeFailure(
        message, status=409, type="idempotency_error", code="idempotency_key_in_use", saved=False
    )
