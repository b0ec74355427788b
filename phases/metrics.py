"""Metrics of phases and test integration. Labels have fixed values, which no request can extend."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import Counter, Histogram
from rest_framework.exceptions import APIException

from core.errors import DomainError
from phases.test_integration.frameworks import FRAMEWORKS

LANGUAGES = {language for framework in FRAMEWORKS.values() for language in framework.languages}
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5)
LABELS = ["framework", "language", "method", "status"]

STORED = Counter("rsolv_phases_stored", "Results that were new or changed.", ["phase", "outcome"])
REJECTED = Counter(
    "rsolv_phases_rejected", "Results that were not stored, by the limit that they exceeded.", ["reason"]
)
ANALYZED = Counter("rsolv_test_integration_analyze", "Requests to rank test files.", LABELS)
GENERATED = Counter("rsolv_test_integration_generate", "Requests to insert tests into a file.", LABELS)
ANALYZE_SECONDS = Histogram(
    "rsolv_test_integration_analyze_duration_seconds",
    "Duration of successful analyze requests.",
    ["framework"],
    buckets=SECONDS,
)
GENERATE_SECONDS = Histogram(
    "rsolv_test_integration_generate_duration_seconds",
    "Duration of successful generate requests.",
    ["framework"],
    buckets=SECONDS,
)
ENGINE_STOPPED = Counter(
    "rsolv_engine_tasks_stopped", "Engine tasks that ended without a result, by reason.", ["reason"]
)
ENGINE_BUSY = Counter("rsolv_engine_busy", "Requests rejected because no engine process was free.")
LINES = Histogram(
    "rsolv_test_integration_generate_lines_integrated",
    "Lines inserted into a file.",
    ["framework"],
    buckets=(0, 1, 5, 10, 20, 50, 100, 200, 500, 1000),
)


@dataclass
class Run:
    """One request. The view fills in the fields from its response."""

    method: str = "none"
    lines: int | None = None


@contextmanager
def measure(total: Counter, seconds: Histogram, sent: object) -> Iterator[Run]:
    """Count the block by its outcome, and time it where it succeeds. `sent` is the parsed request body."""
    framework, language = _name(sent, "framework", FRAMEWORKS), _name(sent, "language", LANGUAGES)
    run, status, started = Run(), "failed", time.perf_counter()
    try:
        yield run
        status = "success"
    except (DomainError, APIException):
        status = "rejected"
        raise
    finally:
        total.labels(framework, language, run.method, status).inc()
        if status == "success":
            seconds.labels(framework).observe(time.perf_counter() - started)
        if run.lines is not None:
            LINES.labels(framework).observe(run.lines)


def _name(sent: object, field: str, known: Mapping[str, object] | set[str]) -> str:
    """Return the field's value if it is a known one, else `other`; `none` if the field is missing."""
    value = sent.get(field) if isinstance(sent, Mapping) else None
    if value is None:
        return "none"
    name = value.strip().lower() if isinstance(value, str) else ""
    return name if name in known else "other"
