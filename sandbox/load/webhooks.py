"""Scenario: send signed webhooks at a constant rate, however fast they are answered."""

import json
import time
from dataclasses import dataclass
from itertools import cycle, islice

from django.conf import settings
from djstripe import models as djstripe

from billing.models import InboxEvent
from sandbox.stripe.webhooks import signature

from .arrivals import at_a_rate
from .environment import LoadEnvironment
from .requests import TimedRequest, send_all
from .results import Result

TARGET_MS = 25
SUBJECTS = 1000  # subscriptions that the webhooks name, in turn


@dataclass(frozen=True)
class Webhooks:
    """`count` webhooks at a rate `per_second`, each about one of the seeded subscriptions."""

    name: str
    count: int
    per_second: float

    def run(self, env: LoadEnvironment) -> Result:
        ids = [f"evt_{self.name}_{number:06}" for number in range(self.count)]
        answers = send_all(env.stack.url, self._make_requests(ids))
        worked_from = time.monotonic()
        open_ones = InboxEvent.objects.filter(event_id__in=ids, processed_at=None)
        env.wait_until_none(open_ones.count)
        worked = round(time.monotonic() - worked_from, 1)
        kept = InboxEvent.objects.filter(event_id__in=ids)
        done = set(kept.exclude(processed_at=None).values_list("event_id", flat=True))
        missing = [
            f"{event_id}: not processed"
            for event_id, answer in zip(ids, answers, strict=True)
            if answer.is_success and event_id not in done
        ]
        more = {"per_second": round(self.per_second, 1), "processed_after_s": worked}
        return Result(self.name, answers, missing, TARGET_MS, more)

    def _make_requests(self, ids: list[str]) -> list[TimedRequest]:
        """Return all requests, signed in advance, so that signing takes no CPU time during the measurement.

        A signature is valid for five minutes.
        """
        secret = djstripe.WebhookEndpoint.objects.exclude(secret="").values_list("secret", flat=True)[0]
        subjects = djstripe.Subscription.objects.order_by("pk").values_list("stripe_data", flat=True)
        now, requests = int(time.time()), []
        due = at_a_rate(len(ids), self.per_second)
        for event_id, moment, subject in zip(
            ids, due, islice(cycle(subjects[:SUBJECTS]), len(ids)), strict=True
        ):
            payload = json.dumps(_make_event(event_id, now, subject))
            headers = {"Stripe-Signature": signature(secret, payload, now)}
            requests.append(TimedRequest("/api/webhooks/stripe", payload.encode(), headers, moment))
        return requests


def _make_event(event_id: str, now: int, subject: dict[str, object]) -> dict[str, object]:
    return {
        "id": event_id,
        "object": "event",
        "api_version": settings.STRIPE_API_VERSION,
        "created": now,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "customer.subscription.updated",
        "data": {"object": subject},
    }
