"""What a phase's data says happened. Pure: plain values in, plain values out."""

from collections.abc import Mapping
from typing import Any, Literal

from .links import GITHUB, find_pull_request

Outcome = Literal["succeeded", "failed", "unverified"]

VERIFICATION_FLAGS = ("testsPass", "tests_pass", "testsPassed", "passed", "success", "verified")


def judge_outcome(phase: str, data: Mapping[str, Any]) -> Outcome:
    """How a phase ended by its own data.

    A scan that was stored succeeded. A validation succeeded when it proved its vulnerability. A mitigation
    succeeded when it says so and its verification does not contradict it; contradicted, it is unverified.
    """
    if phase == "scan":
        return "succeeded"
    if phase == "validation":
        return "succeeded" if data.get("validated") is True else "failed"
    if not claims_success(data):
        return "failed"
    return "unverified" if is_contradicted(data) else "succeeded"


def claims_success(data: Mapping[str, Any]) -> bool:
    """Both families of mitigation data: `fixed`, or `success`; also a status in words."""
    return data.get("fixed") is True or data.get("success") is True or data.get("status") == "success"


def is_contradicted(data: Mapping[str, Any]) -> bool:
    """Whether the tests are said not to pass, by the mitigation or by the verification within it."""
    if data.get("testsPass") is False or data.get("tests_pass") is False or data.get("verified") is False:
        return True
    verification = data.get("verification")
    if isinstance(verification, Mapping):
        return any(verification.get(flag) is False for flag in VERIFICATION_FLAGS)
    return verification is False


def read_verification(data: Mapping[str, Any]) -> bool | None:
    """Whether the tests are said to pass; None where nothing is said of them."""
    if is_contradicted(data):
        return False
    flags = [data.get(name) for name in ("testsPass", "tests_pass", "verified", "verification")]
    inner = data.get("verification")
    if isinstance(inner, Mapping):
        flags += [inner.get(flag) for flag in VERIFICATION_FLAGS]
    return True if any(flag is True for flag in flags) else None


def find_pull_request_url(data: Mapping[str, Any], *, forge_url: str = GITHUB, repository: str = "") -> str:
    """The pull request's address at the forge, empty where another address is stored, or none.

    With `repository` (`owner/name`) only one of that repository counts.
    """
    url = data.get("prUrl") or data.get("pr_url") or data.get("pullRequestUrl")
    if not isinstance(url, str) or len(url) > 500:
        return ""
    return find_pull_request(url, forge_url=forge_url, repository=repository)
