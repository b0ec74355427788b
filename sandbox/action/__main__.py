"""`python -m sandbox.action --api URL --key KEY --repo OWNER/NAME --checkout DIR --issue N`"""

import argparse
import os
import sys
from pathlib import Path
from typing import TextIO

import httpx

from .api import ApiError, RsolvApi
from .parameterize import UnsupportedFix
from .run import ActionFailed, Job, mitigate, scan, validate
from .suite import SuiteError


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.action", description="Run SCAN, VALIDATE and MITIGATE for one issue."
    )
    parser.add_argument("--api", default="http://127.0.0.1:8000", help="RSOLV's URL")
    parser.add_argument(
        "--key", default=os.environ.get("RSOLV_API_KEY"), help="an API key; default: RSOLV_API_KEY"
    )
    parser.add_argument("--repo", required=True, help="owner/name")
    parser.add_argument("--checkout", required=True, type=Path, help="a working copy, which is changed")
    parser.add_argument("--issue", required=True, type=int)
    args = parser.parse_args()
    if not args.key:
        parser.error("no API key: pass --key or set RSOLV_API_KEY")
    try:
        with RsolvApi(args.api, args.key) as api:
            run(Job(api=api, repo=args.repo, issue=args.issue, checkout=args.checkout))
    except (ActionFailed, ApiError, UnsupportedFix, SuiteError, httpx.HTTPError) as error:
        _print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def run(job: Job) -> None:
    """Run the three phases and print a line about each. Raises what the phases raise."""
    scanned = scan(job)
    finding = scanned.findings[0]
    _print(f"SCAN      {finding.file}:{finding.line} {finding.describe()['description']}")
    proof = validate(job, finding)
    _print(f"VALIDATE  {proof.test_file}: {proof.after.not_passed[0].name} fails on its assertion")
    fix = mitigate(job, finding, times=2)
    _print(f"MITIGATE  {len(fix.after.passed)} tests pass: {fix.data['prUrl']}")


def _print(text: str, file: TextIO | None = None) -> None:
    """Print a line with unprintable characters escaped, because it contains names from the repository."""
    print("".join(each if each.isprintable() else ascii(each)[1:-1] for each in text), file=file)


if __name__ == "__main__":
    sys.exit(main())
