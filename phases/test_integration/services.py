"""The API's entry points: plain values in, frozen dataclasses out, errors raised as TestIntegrationError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from phases.test_integration.discovery import detection, naming, ranking
from phases.test_integration.discovery.detection import Detection
from phases.test_integration.discovery.naming import NewTestFile
from phases.test_integration.discovery.ranking import Recommendation
from phases.test_integration.engine import Integration, integrate
from phases.test_integration.errors import InsertionNotSupported, InvalidValue, LanguageMismatch
from phases.test_integration.frameworks import get_framework
from phases.test_integration.read.red_tests import read_red_tests

MAX_NAME_LENGTH = 20_000  # characters, of a path or a vulnerability type


@dataclass(frozen=True, slots=True)
class Fallback:
    """The file to create where no candidate fits."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Analysis:
    recommendations: tuple[Recommendation, ...]
    fallback: Fallback


def analyze(
    *,
    vulnerable_file: str,
    candidate_test_files: Sequence[str],
    framework: str,
    vulnerability_type: str | None = None,
) -> Analysis:
    """Rank the candidates for the new test, and name the file to create instead.

    Raises InvalidValue naming the field, UnsupportedFramework.
    """
    _require_short(vulnerabilityType=vulnerability_type or "")
    new_file = name_test_file(
        vulnerable_file=vulnerable_file, vulnerability_type=vulnerability_type or "", framework=framework
    )
    if not isinstance(candidate_test_files, list | tuple) or not all(
        isinstance(each, str) for each in candidate_test_files
    ):
        raise InvalidValue("must be a list of paths", field="candidateTestFiles")
    if len(candidate_test_files) > ranking.MAX_CANDIDATES:
        raise InvalidValue(f"must have at most {ranking.MAX_CANDIDATES} paths", field="candidateTestFiles")
    ranked = ranking.rank_candidates(vulnerable_file, candidate_test_files, vulnerability_type)
    return Analysis(
        recommendations=tuple(ranked),
        fallback=Fallback(new_file.path, f"a new file where {framework.lower()} keeps security tests"),
    )


def name_test_file(*, vulnerable_file: str, vulnerability_type: str, framework: str) -> NewTestFile:
    """Return the new file for a test of `vulnerable_file`; `framework` in any case.

    Raises InvalidValue naming the field, UnsupportedFramework.
    """
    _require_short(vulnerableFile=vulnerable_file, type=vulnerability_type, framework=framework)
    return naming.name_test_file(vulnerable_file, vulnerability_type, get_framework(framework))


def detect_framework(manifests: Mapping[str, object]) -> Detection:
    """Detect a project's framework from the request's keys (`packageJson`, ..., `configFiles`).

    Raises NothingToDetect, FrameworkNotDetected, InvalidValue naming the field.
    """
    return detection.detect_framework(manifests)


def generate(*, target_file_content: str, red_tests: object, framework: str, language: str) -> Integration:
    """Insert the tests into the file in its own style.

    `red_tests` is the request's `testSuite.redTests`, not validated yet. Raises InvalidValue naming the
    field, UnsupportedFramework, LanguageMismatch, InsertionNotSupported, InvalidTestCode, and TargetRejected
    where no insertion is safe.
    """
    _require_text(targetFileContent=target_file_content, framework=framework, language=language)
    known = get_framework(framework)
    if language.strip().lower() not in known.languages:
        raise LanguageMismatch(known.name, language)
    tests = read_red_tests(red_tests)
    inserter = known.inserter_for(language.strip().lower())
    if inserter is None:
        raise InsertionNotSupported(known.name)
    return integrate(inserter, target_file_content, tests)


def _require_text(**values: object) -> None:
    for field, value in values.items():
        if not isinstance(value, str):
            raise InvalidValue("must be a string", field=field)


def _require_short(**values: object) -> None:
    _require_text(**values)
    for field, value in values.items():
        if isinstance(value, str) and len(value) > MAX_NAME_LENGTH:
            raise InvalidValue(f"must have at most {MAX_NAME_LENGTH} characters", field=field)
