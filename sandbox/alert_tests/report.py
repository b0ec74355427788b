"""The report of a run, for people. Pure."""

from collections.abc import Iterator
from typing import Any


def write_table(report: dict[str, Any]) -> str:
    """Alerts, then queries, then one line for each problem, and the result last."""
    problems = report["problems"]
    result = "ok" if report["ok"] else f"{len(problems)} wrong"
    return "\n".join(
        [
            *_write_alerts(report["alerts"]),
            "",
            *_write_queries(report["queries"]),
            "",
            *(f"WRONG: {problem}" for problem in problems),
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
