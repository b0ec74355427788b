"""Run the phases SCAN, VALIDATE and MITIGATE for one issue."""

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
    """A phase failed; the message says which and why."""


@dataclass(frozen=True)
class Job:
    """One issue of one repository, which is checked out in the folder `checkout`."""

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
    """The result of SCAN. `data` is what was stored."""

    findings: list[Finding]
    commit: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Validation:
    """The result of VALIDATE. `data` is what was stored.

    `before` and `after` are runs of the suite without and with the new test, both on the vulnerable source.
    `insertion` is the response of `test-integration/generate`.
    """

    test_file: str
    score: float
    insertion: dict[str, Any]
    before: SuiteRun
    after: SuiteRun
    data: dict[str, Any]


@dataclass(frozen=True)
class Mitigation:
    """The result of MITIGATE. `after` is the suite's run on the fixed source, `data` is what was stored."""

    entitlement: dict[str, Any]
    after: SuiteRun
    answers: list[dict[str, Any]]
    data: dict[str, Any]


def scan(job: Job) -> Scan:
    """Find vulnerabilities in the source and store them. Raises ActionFailed if there are none."""
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
    """Prove the finding by a new test that fails on its assertion, and store the proof.

    Adds the test to the checkout. Raises ActionFailed if a test fails before, or another test after, or if
    the new test does not fail on an assertion.
    """
    before = run_suite(job.checkout)
    if before.not_passed:
        raise ActionFailed(f"VALIDATE: a test fails before the insertion: {before.not_passed[0]}")
    choice = _choose_test_file(job, finding)
    red_tests = write_red_tests(finding)
    target = job.checkout / choice["path"]
    answer = job.api.generate(
        {"targetFileContent": target.read_text(), "testSuite": {"redTests": red_tests}, **PYTEST}
    )
    target.write_text(answer["integratedContent"])
    after = run_suite(job.checkout)
    _check_new_tests_fail(before, after, count=len(red_tests))
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
    """Fix the finding, run all tests, and store the result `times` times, as on an unreliable network.

    Raises ActionFailed if the account may not fix, or if a test fails after the fix.
    """
    entitlement = job.api.get_entitlement()
    if not entitlement["canUseService"]:
        raise ActionFailed(f"MITIGATE: not entitled: {entitlement.get('blockedReason')}")
    source = job.checkout / finding.file
    source.write_text(parameterize(source.read_text(), finding))
    after = run_suite(job.checkout)
    if after.not_passed:
        raise ActionFailed(f"MITIGATE: a test fails after the fix: {after.not_passed[0]}")
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
    """Return a hash of the Python sources in place of a commit's hash, because the checkout has no git."""
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


def _check_new_tests_fail(before: SuiteRun, after: SuiteRun, *, count: int) -> None:
    if lost := before.passed - after.passed:
        raise ActionFailed(f"VALIDATE: tests that passed no longer do: {sorted(lost)}")
    new = after.not_passed
    if len(new) != count or not all(outcome.is_assertion for outcome in new):
        raise ActionFailed(f"VALIDATE: the new test does not fail on its assertion: {new}")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
