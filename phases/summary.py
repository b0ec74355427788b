"""Columns that lists show of a phase, derived from its data when it is stored. Pure; tolerates any data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .attempts import read_attempts

SEVERITIES = ("critical", "high", "medium", "low")
WORDS = {"moderate": "medium", "warning": "medium", "error": "high", "info": "low", "informational": "low"}
NAMES = ("type", "vulnerabilityType", "rule", "ruleId", "category")
TITLES = ("title", "description", "message")
MOST_FINDINGS = 1_000_000
LONGEST_WORD, LONGEST_TEXT = 100, 10_000  # characters that are read


@dataclass(frozen=True)
class PhaseSummary:
    """Columns of a phase's row. Empty texts and None: not stated."""

    severity: str = ""
    vulnerability_type: str = ""
    title: str = ""
    attempts: int | None = None
    trust_score: int | None = None
    findings: int | None = None


def summarize_phase(phase: str, data: Mapping[str, Any]) -> PhaseSummary:
    """Summarize stored results: a scan's findings, another phase's vulnerability and attempts."""
    found = data.get("vulnerabilities")
    vulnerabilities = [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
    if phase == "scan":
        return PhaseSummary(findings=min(len(vulnerabilities), MOST_FINDINGS))
    nested = data.get("vulnerability")
    sources = [*vulnerabilities[:1], *([nested] if isinstance(nested, Mapping) else []), data]
    history = read_attempts(data) if phase == "mitigation" else None
    return PhaseSummary(
        severity=_find_severity(sources),
        vulnerability_type=_find_text(sources, NAMES, 60),
        title=_find_text(sources[:-1], TITLES, 200) or _find_text([data], TITLES[:1], 200),
        attempts=history.count if history else None,
        trust_score=history.trust_score if history else None,
    )


def _find_severity(sources: list[Mapping[str, Any]]) -> str:
    given = (each.get("severity") for each in sources)
    words = (word[:LONGEST_WORD].strip().lower() for word in given if isinstance(word, str))
    known = (WORDS.get(word, word) for word in words)
    return next((word for word in known if word in SEVERITIES), "")


def _find_text(sources: list[Mapping[str, Any]], names: tuple[str, ...], length: int) -> str:
    """Return the first non-empty text as one line of at most `length` characters."""
    given = (each.get(name) for each in sources for name in names)
    # Cut before splitting: the list of words takes thirty times the memory of the text.
    texts = (" ".join(text[:LONGEST_TEXT].split()) for text in given if isinstance(text, str))
    return next((text for text in texts if text), "")[:length]
