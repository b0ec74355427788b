"""Find every regular expression of the source, its uses, and texts on which it is slow (ReDoS)."""

from __future__ import annotations

import ast
import itertools
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

ROOT = Path(__file__).parent.parent
METHODS = ("match", "fullmatch", "search", "sub", "subn", "findall", "finditer", "split")
_OFTEN = 100  # a repeat with a smaller bound has a bounded cost
_VARIANTS = 4  # of a part that has alternatives


@dataclass(frozen=True)
class Use:
    """A pattern and a method that is called on it. `place` is the file and the line."""

    place: str
    pattern: str | bytes
    flags: int
    method: str

    @property
    def id(self) -> str:
        return f"{self.place} {self.method}"


class NotLiteral(Exception):
    """A pattern that cannot be read from the source."""


def find_uses(packages: tuple[str, ...]) -> tuple[list[Use], list[str]]:
    """Return all uses of all patterns, and the places whose pattern is not a literal."""
    trees = {
        path: ast.parse(path.read_text())
        for package in packages
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in path.parts
    }
    called = _methods_by_name(trees.values())
    uses: dict[tuple[Any, ...], Use] = {}
    unread: list[str] = []
    for path, tree in trees.items():
        for node, name in _calls(tree):
            place = f"{path.relative_to(ROOT)}:{node.lineno}"
            method = str(getattr(node.func, "attr", ""))
            try:
                pattern = _literal(node.args[0])
            except NotLiteral:
                unread.append(place)
                continue
            flags = _flags(
                node, 1 if method == "compile" else {"sub": 4, "subn": 4, "split": 3}.get(method, 2)
            )
            methods = called.get(name) or METHODS[:4] if method == "compile" else [method]
            for each in methods:
                uses.setdefault((pattern, flags, each), Use(place, pattern, flags, each))
    return list(uses.values()), unread


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """Calls of the functions of `re`, each with the name to which the result is assigned."""
    named = {
        node.value: node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        is_of_re = (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in (*METHODS, "compile")
        )
        if is_of_re:
            yield node, named.get(node, "")  # type: ignore[misc, arg-type]


def _methods_by_name(trees: Any) -> dict[str, list[str]]:
    """The methods that are called on each name, in any file, because a pattern may be imported."""
    found: dict[str, set[str]] = {}
    for node in itertools.chain.from_iterable(map(ast.walk, trees)):
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            owner = node.value
            name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
            found.setdefault(name, set()).add(node.attr)
    return {name: sorted(methods) for name, methods in found.items()}


def _literal(node: ast.expr) -> str | bytes:
    """The pattern of an expression, with an ordinary word in place of each interpolated value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(each.value) if isinstance(each, ast.Constant) else "wordy" for each in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [_literal_or_none(side) for side in (node.left, node.right)]
        kinds = {type(side) for side in sides if side is not None}
        if len(kinds) == 1:
            word: Any = b"wordy" if kinds == {bytes} else "wordy"
            left, right = (word if side is None else side for side in sides)
            return left + right
    raise NotLiteral


def _literal_or_none(node: ast.expr) -> str | bytes | None:
    try:
        return _literal(node)
    except NotLiteral:
        return None


def _flags(call: ast.Call, position: int) -> int:
    given = [each.value for each in call.keywords if each.arg == "flags"] or call.args[
        position : position + 1
    ]
    return int(eval(ast.unparse(given[0]), {"re": re})) if given else 0  # noqa: S307 - our own source


# -- hostile texts


def hostile_texts(pattern: str | bytes, flags: int) -> Iterator[Callable[[int], str]]:
    """Yield functions that build a text of about n characters on which a vulnerable pattern is slow.

    The prefix of each repeat is followed by many copies of what the repeat matches, or is itself repeated.
    The text ends in characters that match nothing, which forces backtracking.
    """
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    parsed = _parser.parse(text, flags & ~re.DEBUG)
    prefixes: dict[str, None] = {"": None}
    pumps: dict[str, None] = dict.fromkeys(_alphabet(text))
    for before, body in _repeats(list(parsed), [""]):
        prefixes |= dict.fromkeys(before)
        pumps |= dict.fromkeys(body)
    wholes = _samples(list(parsed))
    prefixes |= dict.fromkeys(wholes) | dict.fromkeys(whole[:-1] for whole in wholes)
    prefixes |= dict.fromkeys([f"{prefix} " for prefix in prefixes if prefix.strip()])
    pumps |= dict.fromkeys(prefixes)
    for prefix, pump in itertools.product(list(prefixes), filter(None, pumps)):
        yield lambda n, prefix=prefix, pump=pump: prefix + pump * (n // len(pump)) + "\x01\n!"


def _alphabet(pattern: str) -> set[str]:
    return {" ", "\t", "\n", "a", "A", "0", "_", ".", "a ", "a\n", " \n", "x.", "a, "} | {
        char for char in pattern if char.isprintable() and not char.isalnum()
    }


def _repeats(parts: list[Any], before: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Each repeat without a small bound, as samples of what precedes it and of what it repeats."""
    for kind, value in parts:
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            low, high, body = value
            if high >= _OFTEN:
                yield before, _samples(list(body))
            yield from _repeats(list(body), before)
        else:
            for inner in _inner(kind, value):
                yield from _repeats(inner, before)
        before = _joined(before, _sample(kind, value))


def _inner(kind: Any, value: Any) -> list[list[Any]]:
    if kind is op.SUBPATTERN:
        return [list(value[3])]
    if kind is op.BRANCH:
        return [list(each) for each in value[1]]
    if kind is op.ATOMIC_GROUP:
        return [list(value)]
    if kind in (op.ASSERT, op.ASSERT_NOT):
        return [list(value[1])]
    return []


def _samples(parts: list[Any]) -> list[str]:
    found = [""]
    for kind, value in parts:
        found = _joined(found, _sample(kind, value))
    return found


def _joined(heads: list[str], tails: list[str]) -> list[str]:
    return list(dict.fromkeys(head + tail for tail in tails for head in heads))[:_VARIANTS]


def _sample(kind: Any, value: Any) -> list[str]:
    """Short texts that this part of a pattern matches."""
    if kind is op.LITERAL:
        return [chr(value)]
    if kind is op.NOT_LITERAL:
        return [next(char for char in "xy" if ord(char) != value)]
    if kind is op.ANY:
        return ["x"]
    if kind is op.IN:
        return _members(value)
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        low, _, body = value
        some = [each * max(low, 1) for each in _samples(list(body))]
        return some if low else ["", *some]
    inner = _inner(kind, value)
    if not inner or kind in (op.ASSERT, op.ASSERT_NOT):
        return [""]
    return [text for each in zip(*map(_padded, map(_samples, inner)), strict=True) for text in each]


def _padded(texts: list[str]) -> list[str]:
    return (texts * _VARIANTS)[:_VARIANTS]


def _members(items: list[Any]) -> list[str]:
    candidates = "a1_ \t.,\"'/A-+xé\\#\n!([{<>=:;@$%&*?|~^`)]}\r\0\x80"
    return [char for char in candidates if _is_in(char, items)][:3] or ["a"]


def _is_in(char: str, items: list[Any]) -> bool:
    negated = items[0][0] is op.NEGATE
    code = ord(char)
    for kind, value in items:
        if (kind is op.LITERAL and value == code) or (kind is op.RANGE and value[0] <= code <= value[1]):
            return not negated
        if kind is op.CATEGORY and re.match(_CATEGORIES[value], char):
            return not negated
    return negated


_CATEGORIES = {
    op.CATEGORY_DIGIT: r"\d",
    op.CATEGORY_NOT_DIGIT: r"\D",
    op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: r"\w",
    op.CATEGORY_NOT_WORD: r"\W",
}


# -- cost

_SIZES = (22, 1_000, 4_000, 16_000)  # characters; the first size detects exponential growth
_CHEAP = 0.000_012  # seconds for the second size; a quadratic pattern costs more, even if each step is cheap
_GROWTH = 9.0  # for four times the text: a quadratic cost grows sixteenfold, a linear one fourfold
_SOME_GROWTH = 6.0  # the threshold while the linear part still dominates
_MATTERS = 0.001  # seconds
_HOPELESS = 0.05  # seconds; a larger text is not tried


def find_slow_text(use: Use) -> str | None:
    """Return the start of a text whose cost grows faster than its size, or None."""
    cost = _runner(use)
    for build in hostile_texts(use.pattern, use.flags):
        size = _find_suspect_size(cost, build)
        if size is None:
            continue
        large, small = (min(cost(build(each)) for _ in range(3)) for each in (size, size // 4))
        if large > max(_MATTERS, small * _GROWTH):
            return f"{build(40)[:80]!r}: {large * 1000:.1f} ms for {size}, {small * 1000:.2f} for {size // 4}"
    return None


def _find_suspect_size(cost: Callable[[str], float], build: Callable[[int], str]) -> int | None:
    """The size at which the cost should be compared, or None if it is not suspicious."""
    shortest, short, longer, longest = _SIZES
    for size in (shortest, short):
        if (spent := cost(build(size))) > _HOPELESS:
            return size
    if spent < _CHEAP:
        return None
    more = cost(build(longer))
    if more < spent * _SOME_GROWTH:
        return None
    return longer if more > _HOPELESS else longest


def _runner(use: Use) -> Callable[[str], float]:
    """Return a function that measures the CPU seconds that the pattern takes for a text."""
    method: Any = getattr(re.compile(use.pattern, use.flags), use.method)
    before: tuple[Any, ...] = ()
    if use.method in ("sub", "subn"):
        before = (b"",) if isinstance(use.pattern, bytes) else ("",)

    def cost(text: str) -> float:
        given: Any = text.encode("latin-1", "replace") if isinstance(use.pattern, bytes) else text
        began = time.thread_time()
        found = method(*before, given)
        if use.method == "finditer":
            list(found)
        return time.thread_time() - began

    return cost
