"""Format the report of a run. Pure."""

from collections.abc import Iterator
from typing import Any


def write_table(report: dict[str, Any]) -> str:
    """Return the alerts, the queries, one line for each problem, and the result on the last line."""
    problems = report["problems"]
    result = "ok" if report["ok"] else f"{len(problems)} failed"
    return "\n".join(
        [
            *_write_alerts(report["alerts"]),
            "",
            *_write_queries(report["queries"]),
            "",
            *(f"FAILED: {problem}" for problem in problems),
            f"test-alerts: {result}, {report['seconds']['all']} s",
        ]
    )


def _write_alerts(alerts: dict[str, Any]) -> Iterator[str]:
    yield f"{'alert':<26}{'seconds':>8}  fault"
    for name, found in alerts.items():
        if found:
            yield f"{name:<26}{found['seconds_to_firing']:>8}  {found['fault']}"
        else:
            yield f"{name:<26}{'-':>8}"


def _write_queries(queries: dict[str, Any]) -> Iterator[str]:
    yield f"{'query':<62}{'rows':>5}"
    for name, found in queries.items():
        yield f"{name:<62}{found['rows']:>5}"
