"""How Stripe misbehaves for a while: rules for the sandbox's faults, drawn from a seed. Pure."""

import random
from dataclasses import dataclass
from typing import Any

# Longer than STRIPE_TIMEOUT_SECONDS of the run: the work is done after the caller has gone.
TOO_LATE_MS = 2600


@dataclass(frozen=True)
class Rule:
    """`kind` is the name under which the report counts it."""

    kind: str
    fault: dict[str, Any]


def draw_weather(dice: random.Random) -> list[Rule]:
    """Mostly showers; at times nothing but one trouble."""
    if dice.random() < 0.2:
        return _name_all(dice, [dice.choice(OUTAGES)])
    return _name_all(dice, [(kind, fault | {"probability": _vary(dice, p)}) for kind, p, fault in SHOWERS])


def draw_disorder(dice: random.Random) -> list[Rule]:
    """Webhooks come twice, late and in the wrong order; nothing else."""
    kinds = ("webhook_duplicated", "webhook_reordered", "webhook_late")
    return _name_all(
        dice, [(kind, fault | {"probability": 0.15}) for kind, _, fault in SHOWERS if kind in kinds]
    )


Fault = dict[str, Any]

SHOWERS: tuple[tuple[str, float, Fault], ...] = (
    ("stripe_latency", 0.2, {"kind": "latency", "ms": 200}),
    ("stripe_timeout", 0.01, {"kind": "latency", "ms": TOO_LATE_MS}),
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
# Only our own look at Stripe's list can then tell that a customer is subscribed.
SILENCE = (
    Rule(
        "stripe_cut_after_work",
        {"kind": "cut_after", "method": "POST", "path": "/v1/subscriptions", "times": None},
    ),
    Rule("webhook_lost", {"kind": "webhook_drop", "times": None}),
)
WEATHERS = tuple(kind for kind, _, _ in SHOWERS)


def _vary(dice: random.Random, probability: float) -> float:
    return probability * dice.uniform(0.5, 1.5)


def _name_all(dice: random.Random, faults: list[tuple[str, Fault]]) -> list[Rule]:
    return [Rule(kind, {"times": None, "seed": dice.getrandbits(32)} | fault) for kind, fault in faults]
