"""Read the meter events that Stripe accepted but could not count, which it reports later in a thin event."""

import re
from dataclasses import dataclass
from typing import Any

from .client import get_client
from .errors import translate_errors

# Stripe identifies the failed request by the event's identifier or by its idempotency key.
SENT_UNDER = re.compile(r"meter-(?P<identifier>.+)-\d+\Z")


@dataclass(frozen=True)
class MeterError:
    """A meter event that Stripe accepted but did not count. `code` is Stripe's error code."""

    identifier: str
    code: str
    message: str


def list_meter_errors(event_id: str) -> list[MeterError]:
    """List the sample errors of an error report, which may stand for more errors than it names.

    Raises StripeUnavailable, StripeRejected.
    Source: https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api#handle-meter-event-errors
    """
    with translate_errors("list_meter_errors"):
        event: dict[str, Any] = get_client().v2.core.events.retrieve(event_id).to_dict()
    reason = (event.get("data") or {}).get("reason") or {}
    return [
        MeterError(
            identifier=read_identifier(sample),
            code=kind.get("code") or "",
            message=sample.get("error_message") or "",
        )
        for kind in reason.get("error_types") or []
        for sample in kind.get("sample_errors") or []
    ]


def read_identifier(sample: dict[str, Any]) -> str:
    """Return the meter event's own identifier from an error sample; empty where Stripe names none."""
    identifier = str((sample.get("request") or {}).get("identifier") or "")
    match = SENT_UNDER.match(identifier)
    return match["identifier"] if match else identifier
