"""Stripe's news, signed, at a rate that does not ask how we are."""

import json
import time
from dataclasses import dataclass
from itertools import cycle, islice

from django.conf import settings
from djstripe import models as djstripe

from billing.models import InboxEvent
from sandbox.stripe.webhooks import signature

from .arrivals import at_a_rate
from .ground import Ground
from .shots import Shot, fire
from .tally import Result

AIM_MS = 25
ABOUT = 1000  # subscriptions that the news is about, one after the other


@dataclass(frozen=True)
class Webhooks:
    """So many, so many a second, each about one of the staged subscriptions."""

    name: str
    count: int
    per_second: float

    def play(self, ground: Ground) -> Result:
        ids = [f"evt_{self.name}_{number:06}" for number in range(self.count)]
        answers = fire(ground.stack.url, self._make_shots(ids))
        worked_from = time.monotonic()
        open_ones = InboxEvent.objects.filter(event_id__in=ids, processed_at=None)
        ground.wait_until_none(open_ones.count)
        worked = round(time.monotonic() - worked_from, 1)
        kept = InboxEvent.objects.filter(event_id__in=ids)
        done = set(kept.exclude(processed_at=None).values_list("event_id", flat=True))
        missing = [
            f"{event_id}: not processed"
            for event_id, answer in zip(ids, answers, strict=True)
            if answer.is_success and event_id not in done
        ]
        more = {"per_second": round(self.per_second, 1), "processed_after_s": worked}
        return Result(self.name, answers, missing, AIM_MS, more)

    def _make_shots(self, ids: list[str]) -> list[Shot]:
        """Signed before the start, which holds for five minutes: signing meanwhile would cost the others."""
        secret = djstripe.WebhookEndpoint.objects.exclude(secret="").values_list("secret", flat=True)[0]
        subjects = djstripe.Subscription.objects.order_by("pk").values_list("stripe_data", flat=True)
        now, shots = int(time.time()), []
        due = at_a_rate(len(ids), self.per_second)
        for event_id, instant, subject in zip(
            ids, due, islice(cycle(subjects[:ABOUT]), len(ids)), strict=True
        ):
            payload = json.dumps(_make_event(event_id, now, subject))
            headers = {"Stripe-Signature": signature(secret, payload, now)}
            shots.append(Shot("/api/webhooks/stripe", payload.encode(), headers, instant))
        return shots


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
