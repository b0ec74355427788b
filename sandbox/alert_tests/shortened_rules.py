"""Rules that keep their meaning and take seconds instead of hours. Pure.

Divide every duration by FACTOR: `for`, windows in brackets, `offset`, and the ages in seconds that a gauge is
compared with. None becomes shorter than what the scrapes of a run allow. Ratios, counts and latencies stay
as they are.
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
    """A copy of a file of rules, as YAML has it."""
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
        raise ValueError(f"{duration!r} is no duration of one unit")
    return f"{max(at_least, round(int(found[1]) * SECONDS[found[2]] / FACTOR))}s"
