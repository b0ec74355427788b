"""Shorten alerting rules so that they take seconds instead of hours. Pure.

Divides every duration by FACTOR: `for`, windows in brackets, `offset`, and ages in seconds that a gauge is
compared with. No duration becomes shorter than the scrape interval of a run allows. Ratios, counts and
latencies are unchanged.
"""

import copy
import re
from typing import Any

FACTOR = 120
SHORTEST_WAIT = 2
SHORTEST_WINDOW = 20
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

DURATION = re.compile(r"(\d+)([smhdw])\Z")
WINDOW = re.compile(r"(?<=\[)\d+[smhdw](?=\])|(?<=offset )\d+[smhdw]\b")
AGE = re.compile(r"(?<=[<>] )\d{2,}\Z")


def shorten(rules: dict[str, Any]) -> dict[str, Any]:
    """Return a shortened copy of a rule file's content. Raises ValueError for a duration like `1h30m`."""
    shortened = copy.deepcopy(rules)
    for group in shortened["groups"]:
        for rule in group["rules"]:
            rule["expr"] = shorten_expr(rule["expr"])
            if "for" in rule:
                rule["for"] = _divide(rule["for"], at_least=SHORTEST_WAIT)
    return shortened


def shorten_expr(expr: str) -> str:
    expr = WINDOW.sub(lambda found: _divide(found[0], at_least=SHORTEST_WINDOW), expr)
    return AGE.sub(lambda found: f"{int(found[0]) / FACTOR:g}", expr)


def _divide(duration: str, *, at_least: int) -> str:
    found = DURATION.match(duration)
    if found is None:
        raise ValueError(f"{duration!r} is not a duration in a single unit")
    return f"{max(at_least, round(int(found[1]) * SECONDS[found[2]] / FACTOR))}s"
