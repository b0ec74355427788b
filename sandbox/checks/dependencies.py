"""`python -m sandbox.checks.dependencies [LOCK …]`: fail if a pinned dependency has a known vulnerability.

If PyPI's vulnerability database is not reachable, report SKIPPED and do not fail.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LOCKS = ("requirements.lock", "requirements-dev.lock")
TIMEOUT_SECONDS = 600
# By vulnerability id: why it does not affect us, and when to review that.
IGNORED: dict[str, str] = {}


@dataclass(frozen=True)
class Audit:
    """The result for a lock file. `checked` and `unknown` count dependencies that PyPI knows and does not."""

    checked: int
    unknown: int
    vulnerabilities: tuple[str, ...]


def read_report(text: str) -> Audit:
    """Parse pip-audit's JSON. Raises ValueError or KeyError for anything else."""
    dependencies: list[dict[str, Any]] = json.loads(text)["dependencies"]
    checked = [each for each in dependencies if "skip_reason" not in each]
    return Audit(
        checked=len(checked),
        unknown=len(dependencies) - len(checked),
        vulnerabilities=tuple(
            f"{each['name']} {each['version']}: {found['id']}, fixed in {', '.join(found['fix_versions'])}"
            for each in checked
            for found in each["vulns"]
            if not IGNORED.keys() & {found["id"], *found.get("aliases", ())}
        ),
    )


def audit(lock: str) -> Audit | None:
    """Run pip-audit on a lock file, which calls PyPI. Return None if PyPI does not answer."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", lock, "--require-hashes", "--disable-pip"]
    command += ["--vulnerability-service", "pypi", "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        found = read_report(done.stdout)
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None
    return found if found.checked else None


def report(lock: str, found: Audit | None) -> bool:
    """Print the result of an audit. Return False if a vulnerability was found."""
    if found is None:
        print(f"SKIPPED: {lock}: PyPI's vulnerability database is not reachable.")
        return True
    for each in found.vulnerabilities:
        print(f"{lock}: {each}", file=sys.stderr)
    print(
        f"{lock}: {found.checked} dependencies, {len(found.vulnerabilities)} vulnerabilities"
        f"{f'; PyPI did not know {found.unknown} more' if found.unknown else ''}."
    )
    return not found.vulnerabilities


def main(locks: Sequence[str]) -> int:
    results = [report(lock, audit(lock)) for lock in locks]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or LOCKS))
