"""Measures insertion into real test files: guesses each file's framework, inserts, and tabulates."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from phases.test_integration.engine import Integration
from phases.test_integration.errors import TestIntegrationError
from phases.test_integration.frameworks import FRAMEWORKS
from phases.test_integration.services import generate
from phases.test_integration.words import split_path

SyntaxChecker = Callable[[str, str], bool | None]

_SCRIPT = r"\.[cm]?[jt]sx?$"
# File name pattern, content pattern, framework; the first match counts, so specific patterns come first.
_GUESSES: tuple[tuple[str, str, str], ...] = (
    (r"_test\.go$", "", "go"),
    (r"_test\.exs$", "", "exunit"),
    (r"(?:Tests?|IT|TestCase|^Test\w+)\.java$", r"org\.junit\.jupiter", "junit5"),
    (r"Test\.php$", "", "phpunit"),
    (r"_spec\.rb$", "", "rspec"),
    (r"(?:_test|^test_\w+|^tc_\w+)\.rb$", "", "minitest"),
    (r"^test\w*\.rb$|^spec_\w+\.rb$", r"\bMinitest\b|\bTest::Unit\b|^\s*def test_|\bminitest\b", "minitest"),
    (
        r"^(?:test\w*|\w*_tests?|tests?)\.py$",
        r"^\s*(?:import|from)\s+pytest\b|@pytest\.|^(?:async )?def test",
        "pytest",
    ),
    (r"^(?:test\w*|\w*_tests?|tests?)\.py$", r"\bunittest\b|\bTestCase\b", "unittest"),
    (r"^(?:test_\w+|\w+_test)\.py$", r"^\s+(?:async )?def test", "pytest"),
    (rf"[._-](?:test|spec|cy){_SCRIPT}", r"""from\s+['"]vitest['"]|\bvi\.(?:fn|mock|spyOn)\b""", "vitest"),
    (_SCRIPT, r"""from\s+['"]vitest['"]|require\(['"]vitest['"]\)""", "vitest"),
    (rf"[._-](?:test|spec){_SCRIPT}", r"""['"]@jest/globals['"]|\bjest\.\w+\(""", "jest"),
    (
        _SCRIPT,
        r"""\b(?:describe|suite)\(['"`](?s:.*)(?:['"](?:node:)?assert['"/]|\bchai\b|['"]should['"]|\bsupertest\b)"""
        r"""|(?:['"](?:node:)?assert['"/]|\bchai\b|['"]should['"]|\bsupertest\b)(?s:.*)\b(?:describe|suite)\(""",
        "mocha",
    ),
    (rf"[._-](?:test|spec){_SCRIPT}", r"^\s*(?:specify|context)\(", "mocha"),
    (rf"[._-](?:test|spec){_SCRIPT}", r"\bexpect\(", "jest"),
    (rf"[._-](?:test|spec){_SCRIPT}", r"\b(?:it|test|describe)\(", "mocha"),
)
_COMPILED = [(re.compile(name), re.compile(content, re.M), each) for name, content, each in _GUESSES]

_BLOCK_TEST = r"""^\s*(?:it|test|specify|example|scenario|should)\b[ .(]"""
_HAS_TEST = {
    "go": r"^func Test(?![a-z])\w*\(\w+ \*(?:\w+\.)?T\)",
    "exunit": r"^\s*(?:test|property)\b.*\bdo\b",
    "junit5": r"@(?:Test|ParameterizedTest|RepeatedTest|TestFactory)\b",
    "phpunit": r"function\s+test|@test\b|#\[Test\b",
    "rspec": r"^\s*(?:x?it|specify|example|scenario|its|include_examples|it_behaves_like)\b",
    "minitest": r"^\s*def test_|^\s*(?:test|it|specify|should)\b",
    "pytest": r"^\s*(?:async )?def test",
    "unittest": r"^\s*(?:async )?def test",
    "vitest": _BLOCK_TEST,
    "jest": _BLOCK_TEST,
    "mocha": _BLOCK_TEST,
}
_HAS_TEST_PATTERNS = {name: re.compile(pattern, re.M) for name, pattern in _HAS_TEST.items()}
_SAMPLES = {
    "go": 't.Fatal("security")',
    "junit5": "org.junit.jupiter.api.Assertions.assertEquals(1, 2);",
    "phpunit": "$this->assertSame(1, 2);",
    "rspec": "expect(1).to eq(2)",
    "minitest": "assert_equal 1, 2",
    "unittest": "self.assertEqual(1, 2)",
    "mocha": "throw new Error('security');",
    "vitest": "expect(1).toBe(2);",
    "jest": "expect(1).toBe(2);",
}
_SUFFIXES = re.compile(r"\.(?:py|rb|go|exs|java|php|[cm]?[jt]sx?)$")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for one file. `parses` is None where unchecked; `reason` explains a result."""

    path: str
    framework: str
    has_test: bool
    result: str
    milliseconds: float = 0.0
    reason: str = ""
    parses: bool | None = None
    changed: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Row:
    """One framework's row of the table."""

    framework: str
    files: int = 0
    with_test: int = 0
    by_tree: int = 0
    by_tree_with_test: int = 0
    appended: int = 0
    rejected: int = 0
    parse_checked: int = 0
    parse_failed: int = 0
    changed: int = 0
    unbound: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)


def may_be_test(path: str) -> bool:
    """Return whether a file with that name is worth reading."""
    return bool(_SUFFIXES.search(path)) and any(name.search(split_path(path)[1]) for name, _, _ in _COMPILED)


def guess_framework(path: str, text: str) -> str | None:
    """Return the framework that a file's name and content indicate."""
    file_name = split_path(path)[1]
    for name, content, framework in _COMPILED:
        if name.search(file_name) and content.search(text):
            return framework
    return None


def has_test(framework: str, text: str) -> bool:
    """Return whether the text looks as if it has tests, by patterns instead of a tree."""
    return bool(_HAS_TEST_PATTERNS[framework].search(text))


def red_test(framework: str) -> dict[str, str]:
    """Return a test that fails anywhere."""
    return {
        "testName": "rejects SQL injection in the user's name",
        "testCode": _SAMPLES.get(framework, "assert 1 == 2"),
        "attackVector": "' OR 1=1 --",
    }


def measure(path: str, framework: str, text: str, parses: SyntaxChecker) -> Outcome:
    """Insert one test and record the result."""
    known = FRAMEWORKS[framework]
    contains_test = has_test(framework, text)
    if known.inserter is None:
        return Outcome(path, framework, contains_test, "unsupported")
    language = _language(framework, path)
    started = time.perf_counter()
    try:
        result = generate(
            target_file_content=text, red_tests=[red_test(framework)], framework=framework, language=language
        )
    except TestIntegrationError as error:
        elapsed = (time.perf_counter() - started) * 1000
        return Outcome(path, framework, contains_test, "rejected", elapsed, str(error))
    except Exception as error:  # a defect: the table shows it, the run continues
        elapsed = (time.perf_counter() - started) * 1000
        return Outcome(path, framework, contains_test, "rejected", elapsed, f"crashed: {error!r}"[:200])
    elapsed = (time.perf_counter() - started) * 1000
    accepted = parses(language, text)
    return Outcome(
        path=path,
        framework=framework,
        has_test=contains_test,
        result=result.method,
        milliseconds=elapsed,
        reason="" if result.method == "ast" else _why_appended(result, contains_test),
        parses=parses(language, result.content) if accepted else None,
        changed=remove_insertions(result) != text,
        warnings=tuple(warning.code for warning in result.warnings),
    )


def remove_insertions(result: Integration) -> str:
    """Return the result without the inserted text."""
    content = result.content.encode()
    for span in reversed(result.inserted):
        content = content[: span.start] + content[span.end :]
    return content.decode()


def summarize(outcomes: Iterable[Outcome]) -> list[Row]:
    """Return a row per framework, in the registry's order."""
    rows = {name: Row(name) for name in FRAMEWORKS}
    times: dict[str, list[float]] = {}
    for each in outcomes:
        _count(rows[each.framework], each)
        if each.result != "unsupported":
            times.setdefault(each.framework, []).append(each.milliseconds)
    for name, values in times.items():
        rows[name].p50_ms, rows[name].p99_ms = percentile(values, 50), percentile(values, 99)
    return [row for row in rows.values() if row.files]


def percentile(values: Sequence[float], share: int) -> float:
    """Return the smallest value that `share` percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(-(-len(ordered) * share // 100) - 1, 0)] if ordered else 0.0


def table(headers: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return aligned columns: the first to the left, the others to the right."""
    shown = [[*map(_show, line)] for line in lines]
    widths = [max(map(len, column)) for column in zip(headers, *shown, strict=True)]
    rows = [
        "  ".join(
            cell.ljust(width) if position == 0 else cell.rjust(width)
            for position, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in ([*headers], *shown)
    ]
    return "\n".join(rows)


COLUMNS: Mapping[str, Callable[[Row], object]] = {
    "framework": lambda row: row.framework,
    "files": lambda row: row.files,
    "with test": lambda row: row.with_test,
    "by tree": lambda row: row.by_tree,
    "of those with test": lambda row: (
        f"{100 * row.by_tree_with_test / row.with_test:.2f} %" if row.with_test else "-"
    ),
    "appended": lambda row: row.appended,
    "rejected": lambda row: row.rejected,
    "parse-checked": lambda row: row.parse_checked,
    "failed": lambda row: row.parse_failed,
    "old bytes changed": lambda row: row.changed,
    "unbound": lambda row: row.unbound,
    "p50 ms": lambda row: row.p50_ms,
    "p99 ms": lambda row: row.p99_ms,
}


def _show(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _count(row: Row, each: Outcome) -> None:
    """Add one outcome to its row."""
    row.files += 1
    row.with_test += each.has_test
    if each.result == "unsupported":
        _record_problem(row, "no inserter yet", each.path)
        return
    row.by_tree += each.result == "ast"
    row.by_tree_with_test += each.result == "ast" and each.has_test
    row.appended += each.result == "append"
    row.rejected += each.result == "rejected"
    row.parse_checked += each.parses is not None
    row.parse_failed += each.parses is False
    row.changed += each.changed
    row.unbound += any(code.startswith("unbound") for code in each.warnings)
    problems = [f"{each.result}: {each.reason}"] if each.reason else []
    problems += ["the result does not parse"] if each.parses is False else []
    problems += ["old bytes changed"] if each.changed else []
    for problem in problems:
        _record_problem(row, problem, each.path)


def _record_problem(row: Row, problem: str, path: str) -> None:
    row.reasons[problem] = row.reasons.get(problem, 0) + 1
    row.examples.setdefault(problem, path)


def _why_appended(result: Integration, contains_test: bool) -> str:
    if not contains_test:
        return "the file has no test to stand beside"
    if any(warning.code == "target_has_errors" for warning in result.warnings):
        return "the parser stumbles over the file"
    return "no test that one could be put beside was found"


def _language(framework: str, path: str) -> str:
    languages = FRAMEWORKS[framework].languages
    wanted = "typescript" if re.search(r"\.[cm]?tsx?$", path) else "javascript"
    return wanted if wanted in languages else languages[0]
