"""`python -m sandbox.action --api URL --key KEY --repo OWNER/NAME --checkout DIR --issue N`"""

import argparse
import os
import sys
from pathlib import Path
from typing import TextIO

import httpx

from .api import ApiRefused, RsolvApi
from .parameterize import CannotFix
from .run import ActionFailed, Job, mitigate, scan, validate
from .suite import SuiteBroken


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.action", description="Scan, prove, fix.")
    parser.add_argument("--api", default="http://127.0.0.1:8000", help="where RSOLV is")
    parser.add_argument("--key", default=os.environ.get("RSOLV_API_KEY"), help="or RSOLV_API_KEY")
    parser.add_argument("--repo", required=True, help="owner/name")
    parser.add_argument("--checkout", required=True, type=Path, help="a copy that may be changed")
    parser.add_argument("--issue", required=True, type=int)
    given = parser.parse_args()
    if not given.key:
        parser.error("no key: --key or RSOLV_API_KEY")
    try:
        with RsolvApi(given.api, given.key) as api:
            run(Job(api=api, repo=given.repo, issue=given.issue, checkout=given.checkout))
    except (ActionFailed, ApiRefused, CannotFix, SuiteBroken, httpx.HTTPError) as error:
        _say(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def run(job: Job) -> None:
    scanned = scan(job)
    finding = scanned.findings[0]
    _say(f"SCAN      {finding.file}:{finding.line} {finding.describe()['description']}")
    proof = validate(job, finding)
    _say(f"VALIDATE  {proof.test_file}: {proof.after.not_passed[0].name} fails by its assertion")
    fix = mitigate(job, finding, times=2)
    _say(f"MITIGATE  {len(fix.after.passed)} tests pass: {fix.data['prUrl']}")


def _say(text: str, file: TextIO | None = None) -> None:
    """Print a line, what is not printable written out: names of files and tests are the repository's."""
    print("".join(each if each.isprintable() else ascii(each)[1:-1] for each in text), file=file)


if __name__ == "__main__":
    sys.exit(main())
