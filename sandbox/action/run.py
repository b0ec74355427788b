"""SCAN, VALIDATE, MITIGATE: one issue, from the vulnerability to the fix."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .api import RsolvApi
from .findings import Finding, find_in_checkout, is_test
from .parameterize import parameterize
from .red_tests import write_red_tests
from .suite import SuiteRun, run_suite

PYTEST = {"framework": "pytest", "language": "python"}


class ActionFailed(Exception):
    """A phase could not do what it is for; the message says which and why."""


@dataclass(frozen=True)
class Job:
    """One issue of one repository, checked out in a folder."""

    api: RsolvApi
    repo: str
    issue: int
    checkout: Path

    def store(self, phase: str, data: dict[str, Any], commit: str) -> dict[str, Any]:
        body: dict[str, Any] = {"phase": phase, "repo": self.repo, "commitSha": commit, "data": data}
        if phase != "scan":
            body |= {"issueNumber": self.issue, "branch": f"rsolv/issue-{self.issue}"}
        return self.api.store_phase(body)


@dataclass(frozen=True)
class Scan:
    findings: list[Finding]
    commit: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Validation:
    """`before` and `after`: the suite without and with the new test, both on the vulnerable source."""

    test_file: str
    score: float
    insertion: dict[str, Any]
    before: SuiteRun
    after: SuiteRun
    data: dict[str, Any]


@dataclass(frozen=True)
class Mitigation:
    entitlement: dict[str, Any]
    after: SuiteRun
    answers: list[dict[str, Any]]
    data: dict[str, Any]


def scan(job: Job) -> Scan:
    """Find vulnerabilities in the source and store them. Raises ActionFailed where there is none."""
    commit = compute_commit(job.checkout)
    findings = find_in_checkout(job.checkout)
    if not findings:
        raise ActionFailed("SCAN: no vulnerability found")
    data = {
        "vulnerabilities": [finding.describe() for finding in findings],
        "timestamp": _now(),
        "commitHash": commit,
    }
    job.store("scan", data, commit)
    return Scan(findings, commit, data)


def validate(job: Job, finding: Finding) -> Validation:
    """Prove the finding by a test that fails by assertion while the old ones pass, and store the proof."""
    before = run_suite(job.checkout)
    if before.not_passed:
        raise ActionFailed(f"VALIDATE: the suite is red already: {before.not_passed[0]}")
    choice = _choose_test_file(job, finding)
    red_tests = write_red_tests(finding)
    target = job.checkout / choice["path"]
    answer = job.api.generate(
        {"targetFileContent": target.read_text(), "testSuite": {"redTests": red_tests}, **PYTEST}
    )
    target.write_text(answer["integratedContent"])
    after = run_suite(job.checkout)
    _require_red(before, after, count=len(red_tests))
    commit = compute_commit(job.checkout)
    data = {
        "validated": True,
        "branchName": f"rsolv/issue-{job.issue}",
        "redTests": red_tests,
        "testResults": after.describe(),
        "testExecutionResult": {
            "passed": False,
            "output": after.not_passed[0].message,
            "testFile": choice["path"],
        },
        "vulnerabilities": [finding.describe()],
        "falsePositiveReason": None,
        "timestamp": _now(),
        "commitHash": commit,
    }
    job.store("validation", data, commit)
    return Validation(choice["path"], choice["score"], answer, before, after, data)


def mitigate(job: Job, finding: Finding, *, times: int = 1) -> Mitigation:
    """Fix the finding, run all tests, store the result: again and again, as a network that fails makes us."""
    entitlement = job.api.get_entitlement()
    if not entitlement["canUseService"]:
        raise ActionFailed(f"MITIGATE: not entitled: {entitlement.get('blockedReason')}")
    source = job.checkout / finding.file
    source.write_text(parameterize(source.read_text(), finding))
    after = run_suite(job.checkout)
    if after.not_passed:
        raise ActionFailed(f"MITIGATE: the fix leaves a test red: {after.not_passed[0]}")
    commit = compute_commit(job.checkout)
    data = {
        "success": True,
        "issueNumber": job.issue,
        "prUrl": f"https://github.com/{job.repo}/pull/{job.issue + 1}",
        "fixCommit": commit,
        "prCreated": True,
        "prType": "fix",
        "testsPass": True,
        "testResults": after.describe(),
        "refactored": False,
        "attempts": 1,
        "timestamp": _now(),
    }
    answers = [job.store("mitigation", data, commit) for _ in range(times)]
    return Mitigation(entitlement, after, answers, data)


def compute_commit(checkout: Path) -> str:
    """The checkout has no git: the hash of its sources stands for a commit's."""
    digest = hashlib.sha1(usedforsecurity=False)
    for path in sorted(checkout.rglob("*.py")):
        digest.update(path.relative_to(checkout).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _choose_test_file(job: Job, finding: Finding) -> dict[str, Any]:
    paths = [path.relative_to(job.checkout) for path in sorted(job.checkout.rglob("test_*.py"))]
    answer = job.api.analyze(
        {
            "vulnerableFile": finding.file,
            "vulnerabilityType": "sql_injection",
            "candidateTestFiles": [path.as_posix() for path in paths if is_test(path)],
            "framework": "pytest",
        }
    )
    best: dict[str, Any] = answer["recommendations"][0]
    return best


def _require_red(before: SuiteRun, after: SuiteRun, *, count: int) -> None:
    if lost := before.passed - after.passed:
        raise ActionFailed(f"VALIDATE: tests that passed no longer do: {sorted(lost)}")
    new = after.not_passed
    if len(new) != count or not all(outcome.is_assertion for outcome in new):
        raise ActionFailed(f"VALIDATE: the new test does not fail by its assertion: {new}")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
