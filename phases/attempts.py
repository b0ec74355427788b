"""Attempts at a fix: how many, what each claimed, what was verified (RFC-061). Pure; tolerates any data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .outcomes import claims_success, read_verification

MOST_ATTEMPTS = 10_000
ATTEMPTS_READ = 20
SCORE_NAMES = ("trustScore", "trust_score")
HOLDERS = ("retry", "retryEvidence", "retry_evidence", "verification", "evidence")


@dataclass(frozen=True)
class Attempt:
    """One attempt at a fix. None: not stated."""

    number: int
    claimed: bool | None
    verified: bool | None
    note: str


@dataclass(frozen=True)
class AttemptHistory:
    """All attempts at a fix. `trust_score`: percentage of claims that were verified. None: not stated.

    `count` may exceed `len(attempts)`: the data may hold only a number, and at most ATTEMPTS_READ are read.
    """

    count: int | None
    claimed: bool
    verified: bool | None
    trust_score: int | None
    attempts: tuple[Attempt, ...]
    error: str


def read_attempts(data: Mapping[str, Any]) -> AttemptHistory:
    """Read attempts from a mitigation's data: a number or a list, at its top level or in its evidence."""
    held = [data, *(each for name in HOLDERS if isinstance(each := data.get(name), Mapping))]
    lists = (each.get("attempts") for each in held)
    attempts: list[Any] = next((each for each in lists if isinstance(each, list)), [])
    return AttemptHistory(
        count=len(attempts) or _find_count(held),
        claimed=data.get("claimed") is True or claims_success(data),
        verified=read_verification(data),
        trust_score=_find_score(held),
        attempts=tuple(
            _read_attempt(number, each) for number, each in enumerate(attempts[:ATTEMPTS_READ], 1)
        ),
        error=_clip(data.get("error") or data.get("errorMessage")),
    )


def _read_attempt(number: int, value: Any) -> Attempt:
    data = value if isinstance(value, Mapping) else {}
    note = data.get("error") or data.get("reason") or data.get("summary") or value
    claimed = data.get("claimed")
    return Attempt(
        number=number,
        claimed=claimed if isinstance(claimed, bool) else claims_success(data) or None,
        verified=read_verification(data),
        note=_clip(note),
    )


def _find_count(held: list[Mapping[str, Any]]) -> int | None:
    counts = (each.get(name) for each in held for name in ("attempts", "attemptCount"))
    whole = (count for count in counts if isinstance(count, int) and not isinstance(count, bool))
    return next((count for count in whole if 0 < count <= MOST_ATTEMPTS), None)


def _find_score(held: list[Mapping[str, Any]]) -> int | None:
    """Find the score in percent. A value up to 1 is read as a fraction."""
    scores = (each.get(name) for each in held for name in SCORE_NAMES)
    numbers = (score for score in scores if isinstance(score, int | float) and not isinstance(score, bool))
    score = next((score for score in numbers if 0 <= score <= 100), None)
    return None if score is None else round(score * 100 if score <= 1 else score)


def _clip(value: Any, length: int = 1_000) -> str:
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= length else f"{text[:length].rstrip()} …"
