"""Evidence for a fix: a test that fails before it and passes after. Pure; tolerates any data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.api.json_text import read_json

from .outcomes import read_verification

TESTS_READ = 10
MOST_COUNTED = 10**9  # a sum of larger numbers may have more digits than Python writes
ACRONYMS = {"sql", "nosql", "xss", "csrf", "ssrf", "xxe", "rce", "idor", "ldap", "xml"}
OUTPUT_NAMES = ("output", "stdout", "stderr", "error", "message", "failureMessage")


@dataclass(frozen=True)
class RedTest:
    """A test that was inserted to prove the vulnerability."""

    name: str
    code: str
    attack: str
    vulnerable_path: str


@dataclass(frozen=True)
class TestCounts:
    """How a run of tests ended."""

    __test__ = False  # not a test class for pytest

    passed: int
    total: int
    failed: int


@dataclass(frozen=True)
class Evidence:
    """The test, its failure, and the test results after the fix. Empty texts and None: not stated."""

    vulnerability: str
    tests: tuple[RedTest, ...]
    test_file: str
    is_red_before: bool | None
    failing_output: str
    before: TestCounts | None
    is_green_after: bool | None
    after: TestCounts | None
    after_output: str
    fix_commit: str

    @property
    def is_empty(self) -> bool:
        return not (self.tests or self.failing_output or self.before or self.after or self.after_output)


def read_evidence(*, validation: str, mitigation: str, clip: int = 20_000) -> Evidence:
    """Read evidence from the JSON texts of both phases, "" for none. Texts are cut at `clip` characters."""
    proof, fix = _parse(validation), _parse(mitigation)
    run = _as_map(proof.get("testExecutionResult"))
    verification = _as_map(fix.get("verification"))
    return Evidence(
        vulnerability=_describe_vulnerability(proof, fix),
        tests=tuple(_read_tests(proof.get("redTests"), clip)),
        test_file=_clip(run.get("testFile") or proof.get("testFile"), 300),
        is_red_before=_read_red(proof, run),
        failing_output=_find_output(run, _as_map(proof.get("testResults")), clip=clip),
        before=_read_counts(proof.get("testResults")),
        is_green_after=read_verification(fix),
        after=_read_counts(fix.get("testResults")) or _read_counts(verification),
        after_output=_find_output(verification, _as_map(fix.get("testResults")), clip=clip),
        fix_commit=_clip(fix.get("fixCommit"), 64),
    )


def name_vulnerability(kind: str) -> str:
    """Return the name of a type in words: `SQL injection` for `sql_injection`."""
    words = kind.replace("_", " ").replace("-", " ").split()
    return " ".join(word.upper() if word in ACRONYMS else word for word in words)


def _parse(text: str) -> Mapping[str, Any]:
    try:
        return _as_map(read_json(text)) if text else {}
    except (ValueError, RecursionError):
        return {}


def _as_map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _clip(value: Any, length: int) -> str:
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= length else f"{text[:length].rstrip()} …"


def _read_tests(value: Any, clip: int) -> list[RedTest]:
    """Read tests from a list, one test, or a mapping by name. Anything else is skipped."""
    if isinstance(value, Mapping):
        inner = value.get("redTests") or value.get("red")
        value = inner if isinstance(inner, list) else [inner or value]
    tests = [_read_test(each, clip) for each in value[:TESTS_READ]] if isinstance(value, list) else []
    return [test for test in tests if test.name or test.code]


def _read_test(value: Any, clip: int) -> RedTest:
    if isinstance(value, str):
        return RedTest(name="", code=_clip(value, clip), attack="", vulnerable_path="")
    data = _as_map(value)
    return RedTest(
        name=_clip(data.get("testName") or data.get("name"), 300),
        code=_clip(data.get("testCode") or data.get("code"), clip),
        attack=_clip(data.get("attackVector"), 500),
        vulnerable_path=_clip(data.get("vulnerableCodePath"), 300),
    )


def _read_red(proof: Mapping[str, Any], run: Mapping[str, Any]) -> bool | None:
    if isinstance(run.get("passed"), bool):
        return not run["passed"]
    return proof["validated"] if isinstance(proof.get("validated"), bool) else None


def _find_output(*sources: Mapping[str, Any], clip: int) -> str:
    found = (_clip(source.get(name), clip) for source in sources for name in OUTPUT_NAMES)
    return next((text for text in found if text), "")


def _read_counts(value: Any) -> TestCounts | None:
    data = _as_map(value)
    counts = {name: data.get(name) for name in ("total", "passed", "failed")}
    numbers = {
        name: count
        for name, count in counts.items()
        if isinstance(count, int) and not isinstance(count, bool) and abs(count) < MOST_COUNTED
    }
    if not {"passed", "failed"} & set(numbers):
        return None
    passed = numbers.get("passed", numbers.get("total", 0) - numbers.get("failed", 0))
    total = numbers.get("total", passed + numbers.get("failed", 0))
    failed = numbers.get("failed", total - passed)
    return TestCounts(passed=passed, total=total, failed=failed)


def _describe_vulnerability(proof: Mapping[str, Any], fix: Mapping[str, Any]) -> str:
    """Return `SQL injection in app/search.py:12`, without the parts that are not stated."""
    found = proof.get("vulnerabilities")
    vulnerability = _as_map(found[0]) if isinstance(found, list) and found else {}
    kind = name_vulnerability(_clip(vulnerability.get("type") or fix.get("vulnerabilityType"), 60))
    place = _clip(vulnerability.get("file"), 200)
    line = vulnerability.get("line")
    if place and isinstance(line, int) and not isinstance(line, bool):
        place = f"{place}:{line}"
    return f"{kind} in {place}" if kind and place else kind or place
