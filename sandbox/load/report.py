"""Format the results of a run, as JSON and as a table. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from .leak_check import ResourceUsage, find_growth
from .results import Result


def describe(
    results: Sequence[Result], *, before: ResourceUsage, after: ResourceUsage, **about: Any
) -> dict[str, Any]:
    """Return the content of var/load.json. It is `ok` if nothing is lost and nothing grew too much."""
    growth = find_growth(before, after)
    return {
        "ok": not growth and not any(result.lost for result in results),
        **about,
        "scenarios": {result.name: result.describe() for result in results},
        "resources": {"start": before.describe(), "end": after.describe(), "growth": growth},
    }


def write_lines(report: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the table, with errors below each scenario and the result last."""
    yield f"{'':<20} {'sent':>6} {'ok':>6} {'lost':>5} {'p50 ms':>8} {'p95 ms':>8} {'target':>6}"
    for name, found in report["scenarios"].items():
        numbers = f"{found['sent']:>6} {found['succeeded']:>6} {found['lost']:>5}"
        times = f"{found['p50_ms']:>8} {found['p95_ms']:>8} {found.get('target_ms', ''):>6}"
        yield f"{name:<20} {numbers} {times}{'  missed' if found.get('misses_target') else ''}"
        for error, count in found["errors"].items():
            yield f"  {count} times {error}"
        for text in found["missing"]:
            yield f"  {text}"
    start, end = report["resources"]["start"], report["resources"]["end"]
    for role, memory in start["memory_mb"].items():
        yield f"memory of {role:<10} {memory:>8} MB at the start, {end['memory_mb'][role]} at the end"
    for name in ("postgresql", "redis"):
        yield f"connections {name:<10} {start[name]:>6} at the start, {end[name]} at the end"
    for text in report["resources"]["growth"]:
        yield f"grew: {text}"
    yield "load: ok" if report["ok"] else "load: NOT ok"
