"""Build the Action's reports for a seeded customer: a scan per repository, a proof and a fix per issue."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from phases.services.store_phase import PhaseReport

from .personas import Persona

Ending = Literal["fixed", "failed", "unverified"]
REPOSITORIES = ("web", "api", "worker")
FINDINGS_EACH = 3


@dataclass(frozen=True)
class Vulnerability:
    """A kind of vulnerability, and the input of the test that proves it."""

    kind: str
    severity: str
    file: str
    line: int
    attack: str


VULNERABILITIES = (
    Vulnerability("sql_injection", "critical", "app/search.py", 42, "' OR published = 0 --"),
    Vulnerability("xss", "medium", "app/comments.py", 18, "<script>alert(1)</script>"),
    Vulnerability("path_traversal", "high", "app/files.py", 77, "../../etc/passwd"),
    Vulnerability("ssrf", "high", "app/hooks.py", 31, "http://169.254.169.254/"),
    Vulnerability("weak_hash", "low", "app/tokens.py", 9, "md5"),
)
TEST = """
def test_{kind}_is_rejected(client):
    response = client.post("/try", data={{"value": "{attack}"}})
    assert response.status_code == 400
"""


def write_scan(persona: Persona, issue: int) -> PhaseReport:
    """Return the scan of the repository that contains the issue."""
    found = [
        {
            "type": vulnerability.kind,
            "severity": vulnerability.severity,
            "file": vulnerability.file,
            "line": vulnerability.line,
        }
        for vulnerability in VULNERABILITIES[:FINDINGS_EACH]
    ]
    return _report(persona, issue, "scan", {"vulnerabilities": found})


def write_proof(persona: Persona, issue: int) -> PhaseReport:
    """Return the validation of an issue, with the failing test that proves it."""
    vulnerability = _choose_vulnerability(issue)
    test = {
        "testName": f"test_{vulnerability.kind}_is_rejected",
        "testCode": TEST.format(kind=vulnerability.kind, attack=vulnerability.attack).strip(),
        "attackVector": vulnerability.attack,
        "vulnerableCodePath": f"{vulnerability.file}:{vulnerability.line}",
    }
    run = {"passed": False, "output": "assert 200 == 400", "testFile": f"tests/test_{vulnerability.kind}.py"}
    data = {
        "validated": True,
        "redTests": [test],
        "testResults": {"total": 48, "passed": 47, "failed": 1},
        "testExecutionResult": run,
        "vulnerabilities": [
            {
                "type": vulnerability.kind,
                "severity": vulnerability.severity,
                "file": vulnerability.file,
                "line": vulnerability.line,
            }
        ],
    }
    return _report(persona, issue, "validation", data)


def write_fix(persona: Persona, issue: int, end: Ending) -> PhaseReport:
    """Return the mitigation of an issue: verified, failed, or with a pull request whose tests fail."""
    data: dict[str, Any] = {"success": end != "failed", "issueNumber": issue}
    if end == "failed":
        notes = ("Two other tests fail.", "The new test still fails.", "Two tests fail after the fix.")
        tries = [{"claimed": True, "verified": False, "error": note} for note in notes]
        data |= {"error": notes[-1], "attempts": tries, "trustScore": 0.31}
    else:
        pull_request = (
            f"https://github.com/{persona.namespace}/{_choose_repository(issue)}/pull/{issue + 400}"
        )
        data |= {"prUrl": pull_request, "fixCommit": _compute_commit(persona, issue), "prCreated": True}
        passed = 48 if end == "fixed" else 46
        results = {"total": 48, "passed": passed, "failed": 48 - passed}
        data |= {"testsPass": end == "fixed", "testResults": results, "prType": "fix"}
        data |= {"refactored": False, "attempts": 1, "trustScore": 0.97 if end == "fixed" else 0.42}
    return _report(persona, issue, "mitigation", data)


def _report(persona: Persona, issue: int, phase: str, data: dict[str, Any]) -> PhaseReport:
    return PhaseReport(
        phase=phase,
        namespace=persona.namespace,
        repository_name=_choose_repository(issue),
        commit_sha=_compute_commit(persona, issue),
        issue_number=None if phase == "scan" else issue,
        branch="" if phase == "scan" else f"rsolv/issue-{issue}",
        data=data,
        data_text=json.dumps(data),
    )


def _choose_vulnerability(issue: int) -> Vulnerability:
    return VULNERABILITIES[issue % len(VULNERABILITIES)]


def _choose_repository(issue: int) -> str:
    return REPOSITORIES[issue % len(REPOSITORIES)]


def _compute_commit(persona: Persona, issue: int) -> str:
    return hashlib.sha1(f"{persona.key}-{issue}".encode(), usedforsecurity=False).hexdigest()
