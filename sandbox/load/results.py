"""The results of a scenario's requests. Pure."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SHOWN_FINDINGS = 10


@dataclass(frozen=True)
class Answer:
    """The result of one request. `error` is empty for a success; `seconds` count from when it was due."""

    error: str
    seconds: float

    @property
    def is_success(self) -> bool:
        return not self.error


@dataclass
class Result:
    """The result of a scenario. `missing` names what was accepted but does not exist afterwards."""

    name: str
    answers: Sequence[Answer]
    missing: list[str] = field(default_factory=list)
    target_ms: int | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def sent(self) -> int:
        return len(self.answers)

    @property
    def succeeded(self) -> int:
        return sum(answer.is_success for answer in self.answers)

    @property
    def lost(self) -> int:
        """The number of requests that did not succeed, or whose effect is missing."""
        return self.sent - self.succeeded + len(self.missing)

    @property
    def misses_target(self) -> bool:
        return self.target_ms is not None and compute_percentile_ms(self.answers, 95) > self.target_ms

    def describe(self) -> dict[str, Any]:
        """Return the scenario's entry in var/load.json. Lists at most SHOWN_FINDINGS missing items."""
        return {
            "sent": self.sent,
            "succeeded": self.succeeded,
            "lost": self.lost,
            "p50_ms": compute_percentile_ms(self.answers, 50),
            "p95_ms": compute_percentile_ms(self.answers, 95),
            "max_ms": compute_percentile_ms(self.answers, 100),
            "errors": dict(Counter(each.error for each in self.answers if each.error)),
            "missing": self.missing[:SHOWN_FINDINGS],
            **({"target_ms": self.target_ms, "misses_target": self.misses_target} if self.target_ms else {}),
            **self.more,
        }


def compute_percentile_ms(answers: Sequence[Answer], percent: int) -> float:
    """Return the latency's percentile by the nearest rank, including failures; 0 if nothing was sent."""
    if not answers:
        return 0.0
    ordered = sorted(answer.seconds for answer in answers)
    return round(ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)] * 1000, 1)
