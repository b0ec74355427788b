"""Renders JavaScript strings, comments and indented lines."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from phases.test_integration.read.red_tests import RedTest

# Test runners read these directives anywhere in a file, even in strings.
_DIRECTIVE = re.compile(r"@(?=(?:vitest|jest|module)-)|#(?=\s*source(?:Mapping)?URL)", re.IGNORECASE)
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
_DEFAULT_UNIT = 2


@dataclass(frozen=True, slots=True)
class Line:
    """A line at an indentation level; `is_fixed` where its white space is part of a literal."""

    text: str
    level: int = 0
    is_fixed: bool = False


def markers(red_test: RedTest) -> list[str]:
    """Return one comment line each for name, attack and expectation; a later request finds them again."""
    lines = [
        f"// security: {_as_comment(red_test.name)}",
        f"// attack vector: {_as_comment(red_test.attack_vector)}",
    ]
    if red_test.expected_behavior.strip():
        lines.append(f"// expected: {_as_comment(red_test.expected_behavior)}")
    return [line.rstrip() for line in lines]


def literal(text: str, quote: str) -> str:
    """Return a one-line string literal with exactly this value."""
    pieces = [quote]
    for char in text:
        if char in _ESCAPES:
            pieces.append(_ESCAPES[char])
        elif char == quote:
            pieces.append("\\" + char)
        else:
            pieces.append(char if char.isprintable() else _escaped(char))
    return _without_directives("".join((*pieces, quote)))


def make_unique(title: str, used_names: Collection[str], quote: str) -> str:
    """Return the literal, with the first number that makes it unique if it is used."""
    candidate, number = literal(title, quote), 2
    while candidate[1:-1] in used_names:
        candidate, number = literal(f"{title} ({number})", quote), number + 1
    return candidate


def code_lines(code: str, fixed: set[int]) -> list[Line]:
    """Return the code as lines with indentation levels; `fixed` rows stay as they are."""
    rows = code.split("\n")
    free = [row for row, text in enumerate(rows) if row not in fixed and text.strip()]
    margins = {row: _width(rows[row]) for row in free}
    rest = [margins[row] for row in free[1:]]
    least = min(margins.values(), default=0)
    if rest and free[0] == 0 and not margins[0] and min(rest) == margins[free[-1]] > 0:
        # The first line lost its indentation; the last line shows how much.
        least, margins[0] = min(rest), min(rest)
    margins = {row: margin - least for row, margin in margins.items()}
    unit = _unit(sorted({margin for margin in margins.values() if margin}))
    lines = []
    for row, text in enumerate(rows):
        if row in fixed:
            lines.append(Line(text, is_fixed=True))
        elif row not in margins:
            lines.append(Line(""))
        else:
            level, rest_of_margin = divmod(margins[row], unit)
            lines.append(Line(" " * rest_of_margin + text.lstrip(" \t"), level))
    return lines


def deeper(lines: Iterable[Line], levels: int = 1) -> list[Line]:
    return [Line(line.text, line.level + levels, line.is_fixed) for line in lines]


def rendered(lines: Sequence[Line], prefix: str, unit: str, eol: str) -> str:
    return eol.join(
        line.text if line.is_fixed or not line.text else prefix + unit * line.level + line.text
        for line in lines
    )


def _width(text: str) -> int:
    margin = text[: len(text) - len(text.lstrip(" \t"))]
    return len(margin.replace("\t", "    "))


def _unit(margins: Sequence[int]) -> int:
    for unit in (4, 2, 3, 8):
        if margins and all(margin % unit == 0 for margin in margins):
            return unit
    return margins[0] if margins else _DEFAULT_UNIT


def _as_comment(text: str) -> str:
    """Return one line; unprintable characters are escaped."""
    plain = "".join(char if char.isprintable() else _escaped(char) for char in text)
    return _without_directives(plain).strip()


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\u{{{code:x}}}"


def _without_directives(text: str) -> str:
    return _DIRECTIVE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
