"""Draw the sandbox Stripe's fault rules from a seed. Pure."""

import random
from dataclasses import dataclass
from typing import Any

# Longer than STRIPE_TIMEOUT_SECONDS of the run: the work is done after the caller has given up.
LONGER_THAN_TIMEOUT_MS = 2600


@dataclass(frozen=True)
class Rule:
    """A fault rule. `kind` is the name under which the report counts it."""

    kind: str
    fault: dict[str, Any]


def draw_stripe_faults(rng: random.Random) -> list[Rule]:
    """Draw all frequent faults together or, with a probability of 20 %, a single outage."""
    if rng.random() < 0.2:
        return _name_all(rng, [rng.choice(OUTAGES)])
    return _name_all(
        rng, [(kind, fault | {"probability": _vary(rng, p)}) for kind, p, fault in FREQUENT_FAULTS]
    )


def draw_webhook_faults(rng: random.Random) -> list[Rule]:
    """Draw faults that deliver webhooks twice, late or in the wrong order, and lose none."""
    kinds = ("webhook_duplicated", "webhook_reordered", "webhook_late")
    return _name_all(
        rng, [(kind, fault | {"probability": 0.15}) for kind, _, fault in FREQUENT_FAULTS if kind in kinds]
    )


Fault = dict[str, Any]

FREQUENT_FAULTS: tuple[tuple[str, float, Fault], ...] = (
    ("stripe_latency", 0.2, {"kind": "latency", "ms": 200}),
    ("stripe_timeout", 0.01, {"kind": "latency", "ms": LONGER_THAN_TIMEOUT_MS}),
    ("stripe_429", 0.04, {"kind": "status", "status": 429}),
    ("stripe_500", 0.04, {"kind": "status", "status": 500}),
    ("stripe_500_after_work", 0.04, {"kind": "status", "status": 500, "after": True}),
    ("stripe_cut_before_work", 0.05, {"kind": "cut_before"}),
    ("stripe_cut_after_work", 0.06, {"kind": "cut_after"}),
    ("webhook_lost", 0.06, {"kind": "webhook_drop"}),
    ("webhook_duplicated", 0.15, {"kind": "webhook_duplicate"}),
    ("webhook_reordered", 0.15, {"kind": "webhook_reorder", "ms": 1500}),
    ("webhook_late", 0.15, {"kind": "webhook_delay", "ms": 1500}),
)
OUTAGES: tuple[tuple[str, Fault], ...] = (
    ("stripe_429", {"kind": "status", "status": 429}),
    ("stripe_500", {"kind": "status", "status": 500}),
    ("stripe_cut_before_work", {"kind": "cut_before"}),
    ("stripe_cut_after_work", {"kind": "cut_after"}),
    ("webhook_lost", {"kind": "webhook_drop"}),
)
# With these, only listing the subscriptions at Stripe shows that a customer is subscribed.
LOST_RESPONSES = (
    Rule(
        "stripe_cut_after_work",
        {"kind": "cut_after", "method": "POST", "path": "/v1/subscriptions", "times": None},
    ),
    Rule("webhook_lost", {"kind": "webhook_drop", "times": None}),
)
STRIPE_FAULT_KINDS = tuple(kind for kind, _, _ in FREQUENT_FAULTS)


def _vary(rng: random.Random, probability: float) -> float:
    return probability * rng.uniform(0.5, 1.5)


def _name_all(rng: random.Random, faults: list[tuple[str, Fault]]) -> list[Rule]:
    return [Rule(kind, {"times": None, "seed": rng.getrandbits(32)} | fault) for kind, fault in faults]
