"""Faults to inject: slow, rejected, broken or cut requests, and lost, duplicated or late webhooks."""

import fnmatch
import random
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

KINDS = (
    "latency",
    "status",
    "cut_before",
    "cut_after",
    "webhook_drop",
    "webhook_duplicate",
    "webhook_reorder",
    "webhook_delay",
    "meter_reject",
)


@dataclass
class Fault:
    """One rule. `path` and `event` are shell patterns; `times` None means for ever.

    latency: `ms` before the work. status: answer `status` instead of working, or (`after`) after the work.
    cut_before, cut_after: close the connection without an answer, the work not done or done.
    meter_reject: usage (`event` is the meter's event name) is accepted, never counted, and reported later
    with what is wrong with it, or with `code` when nothing is.
    webhook_*: drop the delivery, send it twice, let later ones overtake it by `ms`, delay it by `ms`.
    """

    kind: str
    method: str = "*"
    path: str = "*"
    event: str = "*"
    ms: int = 300
    status: int = 500
    code: str = "meter_event_customer_not_found"
    after: bool = False
    times: int | None = 1
    probability: float = 1.0
    seed: int = 0
    id: int = field(default_factory=count(1).__next__)
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault kind {self.kind!r}: one of {', '.join(KINDS)}")
        self._rng = random.Random(self.seed)

    def applies(self) -> bool:
        """Whether the rule strikes this time; counts it if it does."""
        if self.times is not None and self.hits >= self.times:
            return False
        if self._rng.random() >= self.probability:
            return False
        self.hits += 1
        return True


class FaultRules:
    """The active rules; the first that matches and strikes is applied."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def add(self, **rule: Any) -> Fault:
        fault = Fault(**rule)
        self.rules.append(fault)
        return fault

    def clear(self) -> None:
        self.rules = []

    def for_request(self, method: str, path: str) -> list[Fault]:
        """Return every latency that strikes, and at most one of the other faults."""
        chosen: list[Fault] = []
        for fault in self.rules:
            if fault.kind.startswith(("webhook_", "meter_")) or fault.method not in ("*", method):
                continue
            if fault.kind != "latency" and any(other.kind != "latency" for other in chosen):
                continue
            # `applies` comes last, because it counts a hit.
            if fnmatch.fnmatchcase(path, fault.path) and fault.applies():
                chosen.append(fault)
        return chosen

    def for_webhook(self, type: str) -> Fault | None:
        return self._first("webhook_", type)

    def for_meter_event(self, name: str) -> Fault | None:
        return self._first("meter_", name)

    def _first(self, kinds: str, event: str) -> Fault | None:
        for fault in self.rules:
            if fault.kind.startswith(kinds) and fnmatch.fnmatchcase(event, fault.event) and fault.applies():
                return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.rules]
