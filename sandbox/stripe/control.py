"""Operations of tests and people on the sandbox outside Stripe's API."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.stripe import bulk
from sandbox.stripe.billing.meter_errors import check_code
from sandbox.stripe.billing.timeline import advance, catch_up
from sandbox.stripe.cards import BEHAVIORS
from sandbox.stripe.environment import NO_REQUEST, StripeEnvironment
from sandbox.stripe.errors import bad_parameter
from sandbox.stripe.faults import Fault
from sandbox.stripe.hosted import complete_checkout
from sandbox.stripe.ids import new_secret
from sandbox.stripe.render import present
from sandbox.stripe.resources import disputes, meter_events, payment_intents, setup_intents
from sandbox.stripe.resources.webhook_endpoints import add_endpoint
from sandbox.stripe.store import Record
from sandbox.stripe.webhooks import Courier


class Control:
    """Every method is safe to call while the sandbox serves requests."""

    def __init__(self, env: StripeEnvironment, courier: Courier) -> None:
        self._env = env
        self._courier = courier

    def now(self) -> int:
        with self._env.store.lock:
            return self._env.now()

    def advance(self, seconds: int = 0, *, hours: int = 0, days: int = 0) -> dict[str, int]:
        """Move the clock forward and apply everything due in between; return `{now, offset, steps}`."""
        with self._env.store.lock:
            return self.set_to(self._env.now() + seconds + 3600 * hours + 86400 * days)

    def set_to(self, timestamp: int) -> dict[str, int]:
        """Move the clock forward to a timestamp."""
        with self._env.store.lock:
            steps = advance(self._env, timestamp)
            clock = {"now": self._env.now(), "offset": self._env.clock.offset, "steps": steps}
        self._courier.wake()
        return clock

    def tick(self) -> None:
        """Apply what has become due in real time."""
        with self._env.store.lock:
            if catch_up(self._env, self._env.now()):
                self._courier.wake()

    def snapshot(self) -> list[Record]:
        """Return all objects and events, and the time, to pass to `reset`."""
        with self._env.store.lock:
            return self._env.store.snapshot()

    def reset(self, to: list[Record] | None = None) -> None:
        """Delete everything; restore a snapshot if one is given."""
        with self._env.store.lock:
            self._env.reset(to)

    def state(self) -> dict[str, int]:
        """Return the number of objects of each kind."""
        with self._env.store.lock:
            return {kind: self._env.store.count(kind) for kind in self._env.store.kinds()}

    def add_fault(self, kind: str, **rule: Any) -> Fault:
        """Add a rule of `faults.Fault`."""
        if "code" in rule:
            check_code(rule["code"])
        with self._env.store.lock:
            return self._env.faults.add(kind=kind, **rule)

    def clear_faults(self) -> None:
        with self._env.store.lock:
            self._env.faults.clear()

    def faults(self) -> list[dict[str, Any]]:
        with self._env.store.lock:
            return self._env.faults.listed()

    def forget_identifiers(self, *, after: int) -> int:
        """Forget identifiers of meter events at an age of so many seconds; return it. A day by default."""
        if after < 0:
            raise ValueError("the age of an identifier is not negative")
        with self._env.store.lock:
            self._env.identifier_seconds = after
        return after

    def requests(self) -> list[dict[str, Any]]:
        """List API calls, oldest first: method, path, idempotency_key, status, request_id, ms, replayed."""
        with self._env.store.lock:
            return list(self._env.requests)

    def deliveries(self) -> list[Record]:
        """List webhook deliveries, oldest first, with status, attempts and the last response code."""
        return self._all("sandbox.delivery")

    def flush(self, timeout: float = 5.0) -> int:
        """Wait until every delivery has ended; return the number still pending at the timeout."""
        return self._courier.flush(timeout)

    def meter_events(self) -> list[Record]:
        """List usage as reported, oldest first, with the customer, `canceled` and `rejected` (a code)."""
        with self._env.store.lock:
            return [
                {
                    **present(self._env.store, each),
                    "customer": each["_customer"],
                    "canceled": each["_cancelled"],
                    "rejected": each["_rejected"],
                }
                for each in self._env.store.oldest("billing.meter_event")
            ]

    def events(self, type: str | None = None) -> list[Record]:
        """List events, oldest first."""
        return self._all("event", type=type) if type else self._all("event")

    def objects(self, kind: str) -> list[Record]:
        """List the objects of a kind (`customer`, `billing.meter`, …), oldest first, as in the API."""
        return self._all(kind)

    def add_webhook(self, url: str, *, events: tuple[str, ...] = ("*",), secret: str | None = None) -> Record:
        """Create an endpoint with a given signing secret; the response contains `secret`."""
        with self._env.store.lock:
            params = {"url": url, "enabled_events": list(events)}
            endpoint = add_endpoint(self._env, params, secret or new_secret("whsec"))
            return {**present(self._env.store, endpoint), "secret": endpoint["_secret"]}

    def set_card(self, payment_method: str, behavior: str) -> None:
        """Change the behavior of an attached card; see `cards.BEHAVIORS`."""
        if behavior not in BEHAVIORS:
            raise bad_parameter(f"One of {', '.join(BEHAVIORS)}", None, "behavior")
        with self._env.store.lock:
            method = self._env.require("payment_method", payment_method)
            self._env.store.replace(method, _behavior=behavior)

    def authenticate(self, intent: str, *, success: bool = True) -> Record:
        """Answer the bank's 3-D Secure request of a payment or setup intent on the person's behalf."""
        with self._env.store.lock:
            with self.acting():
                if intent.startswith("seti_"):
                    waiting = self._env.require("setup_intent", intent)
                    answered = setup_intents.authenticate(self._env, waiting, success=success)
                else:
                    waiting = self._env.require("payment_intent", intent)
                    answered = payment_intents.authenticate(self._env, waiting, success=success)
            return present(self._env.store, answered)

    def complete_checkout(
        self, session: str, *, number: str = "4242424242424242", email: str | None = None, passed: bool = True
    ) -> Record:
        """Pay a Checkout session on the person's behalf; raises the card's error."""
        with self._env.store.lock:
            with self.acting():
                open_session = self._env.require("checkout.session", session)
                done = complete_checkout(self._env, open_session, number=number, email=email, passed=passed)
            return present(self._env.store, done)

    def dispute(self, charge: str, reason: str = "fraudulent", *, amount: int | None = None) -> Record:
        """Dispute a paid charge on behalf of the person's bank; see `disputes.REASONS`."""
        with self._env.store.lock:
            with self.acting():
                paid = self._env.require("charge", charge)
                opened = disputes.open_dispute(self._env, paid, reason, amount)
            return present(self._env.store, opened)

    def seed(
        self, *, subscriptions: int, events_each: int = 0, days: int = 0, prices: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Create many customers with subscriptions and usage, quickly and without events; see `bulk.seed`."""
        with self.acting():
            return bulk.seed(
                self._env, count=subscriptions, events_each=events_each, days=days, price_keys=prices
            )

    def report_meter_error(self, *, identifier: str, code: str = "meter_event_customer_not_found") -> Record:
        """Reject a meter event after it was accepted: it no longer counts, and a thin event reports it."""
        with self._env.store.lock:
            with self.acting():
                event = meter_events.reject(self._env, identifier, code)
            return present(self._env.store, event)

    def close_dispute(self, dispute: str, *, won: bool) -> Record:
        """Decide a dispute on behalf of the bank."""
        with self._env.store.lock:
            with self.acting():
                closed = disputes.decide(self._env, self._env.require("dispute", dispute), won=won)
            return present(self._env.store, closed)

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Run a person's action on Stripe's pages in one transaction.

        What is due is applied first; events are delivered afterwards.
        """
        with self._env.store.lock:
            catch_up(self._env, self._env.now())
            self._env.request = NO_REQUEST
            with self._env.store.transaction():
                yield
        self._courier.wake()

    def _all(self, kind: str, **where: str) -> list[Record]:
        store = self._env.store
        with store.lock:
            return [present(store, each) for each in store.oldest(kind, after=None, **where)]
