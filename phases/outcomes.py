"""The outcome of a phase according to its data. Pure: plain values in, plain values out."""

from collections.abc import Mapping
from typing import Any, Literal

from .links import GITHUB, find_pull_request

Outcome = Literal["succeeded", "failed", "unverified"]

VERIFICATION_FLAGS = ("testsPass", "tests_pass", "testsPassed", "passed", "success", "verified")


def judge_outcome(phase: str, data: Mapping[str, Any]) -> Outcome:
    """Return the outcome of a phase from its data.

    A stored scan succeeded. A validation succeeded if it proved its vulnerability. A mitigation succeeded if
    it claims success and its verification does not contradict the claim; contradicted, it is unverified.
    """
    if phase == "scan":
        return "succeeded"
    if phase == "validation":
        return "succeeded" if data.get("validated") is True else "failed"
    if not claims_success(data):
        return "failed"
    return "unverified" if is_contradicted(data) else "succeeded"


def claims_success(data: Mapping[str, Any]) -> bool:
    """Return whether a mitigation claims success. Runners send `fixed`, `success` or `status`."""
    return data.get("fixed") is True or data.get("success") is True or data.get("status") == "success"


def is_contradicted(data: Mapping[str, Any]) -> bool:
    """Return whether the mitigation, or the verification in it, states that tests do not pass."""
    if data.get("testsPass") is False or data.get("tests_pass") is False or data.get("verified") is False:
        return True
    verification = data.get("verification")
    if isinstance(verification, Mapping):
        return any(verification.get(flag) is False for flag in VERIFICATION_FLAGS)
    return verification is False


def read_verification(data: Mapping[str, Any]) -> bool | None:
    """Return whether the data states that the tests pass; None where it states nothing about them."""
    if is_contradicted(data):
        return False
    flags = [data.get(name) for name in ("testsPass", "tests_pass", "verified", "verification")]
    inner = data.get("verification")
    if isinstance(inner, Mapping):
        flags += [inner.get(flag) for flag in VERIFICATION_FLAGS]
    return True if any(flag is True for flag in flags) else None


def find_pull_request_url(data: Mapping[str, Any], *, forge_url: str = GITHUB, repository: str = "") -> str:
    """Return the URL of the mitigation's pull request at `forge_url`, "" where the data has none.

    With `repository` (`owner/name`), the pull request must belong to it.
    """
    url = data.get("prUrl") or data.get("pr_url") or data.get("pullRequestUrl")
    if not isinstance(url, str) or len(url) > 500:
        return ""
    return find_pull_request(url, forge_url=forge_url, repository=repository)
