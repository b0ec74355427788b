"""`python -m sandbox.checks.dependencies [LOCK …]`: no pinned dependency has a known vulnerability.

Where the source of vulnerabilities (PyPI's JSON API) cannot be asked, that is said, and nothing fails for it.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LOCKS = ("requirements.lock", "requirements-dev.lock")
TIMEOUT_SECONDS = 600
# By vulnerability id: why it does not concern us, and until when that was looked at.
IGNORED: dict[str, str] = {}


@dataclass(frozen=True)
class Audit:
    """What was found in a lock file. `asked` counts the dependencies that the source knows."""

    asked: int
    unknown: int
    vulnerabilities: tuple[str, ...]


def read_report(text: str) -> Audit:
    """From pip-audit's JSON. Raises ValueError for anything else."""
    dependencies: list[dict[str, Any]] = json.loads(text)["dependencies"]
    asked = [each for each in dependencies if "skip_reason" not in each]
    return Audit(
        asked=len(asked),
        unknown=len(dependencies) - len(asked),
        vulnerabilities=tuple(
            f"{each['name']} {each['version']}: {found['id']}, fixed in {', '.join(found['fix_versions'])}"
            for each in asked
            for found in each["vulns"]
            if not IGNORED.keys() & {found["id"], *found.get("aliases", ())}
        ),
    )


def audit(lock: str) -> Audit | None:
    """Ask about every dependency of a lock file; None where the source cannot be asked. Calls out."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", lock, "--require-hashes", "--disable-pip"]
    command += ["--vulnerability-service", "pypi", "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        found = read_report(done.stdout)
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None
    return found if found.asked else None


def report(lock: str, found: Audit | None) -> bool:
    """Print what an audit found; whether that is no vulnerability."""
    if found is None:
        print(f"SKIPPED: {lock}: PyPI's vulnerabilities cannot be asked from here.")
        return True
    for each in found.vulnerabilities:
        print(f"{lock}: {each}", file=sys.stderr)
    print(
        f"{lock}: {found.asked} dependencies, {len(found.vulnerabilities)} vulnerabilities"
        f"{f'; PyPI did not know {found.unknown} more' if found.unknown else ''}."
    )
    return not found.vulnerabilities


def main(locks: Sequence[str]) -> int:
    results = [report(lock, audit(lock)) for lock in locks]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or LOCKS))
