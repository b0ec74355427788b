"""Run the repository's own tests with pytest, in a subprocess."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

TIMEOUT_SECONDS = 120


class SuiteError(Exception):
    """pytest could not run the tests; the message is its output."""


@dataclass(frozen=True)
class TestOutcome:
    """The outcome of one test. `status` is passed, failed, error or skipped; `message` is pytest's."""

    __test__ = False

    name: str
    status: str
    message: str = ""

    @property
    def is_assertion(self) -> bool:
        return self.status == "failed" and self.message.startswith(("AssertionError", "assert "))


@dataclass(frozen=True)
class SuiteRun:
    """One run of the whole suite."""

    outcomes: tuple[TestOutcome, ...]

    @property
    def passed(self) -> set[str]:
        return {each.name for each in self.outcomes if each.status == "passed"}

    @property
    def not_passed(self) -> list[TestOutcome]:
        return [each for each in self.outcomes if each.status not in ("passed", "skipped")]

    def describe(self) -> dict[str, int]:
        """Return the counts in the format that the Action stores."""
        return {
            "total": len(self.outcomes),
            "passed": len(self.passed),
            "failed": len(self.not_passed),
        }


def run_suite(checkout: Path) -> SuiteRun:
    """Run all tests of a checkout, whether or not they pass.

    Raises SuiteError if pytest cannot run them, subprocess.TimeoutExpired after TIMEOUT_SECONDS.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}"]
        done = subprocess.run(
            command,
            cwd=checkout,
            env=_build_clean_environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
        # pytest exits with 0 if all tests pass and with 1 if some fail. Other codes mean that it did not run.
        if done.returncode not in (0, 1):
            raise SuiteError(done.stdout[-2000:] + done.stderr[-2000:])
        return read_report(report.read_text())


def read_report(xml: str) -> SuiteRun:
    """Parse the JUnit XML that pytest writes."""
    return SuiteRun(tuple(_read_case(case) for case in ElementTree.fromstring(xml).iter("testcase")))  # noqa: S314 - pytest has just written it


def _read_case(case: ElementTree.Element) -> TestOutcome:
    name = f"{case.get('classname')}::{case.get('name')}"
    for tag, status in (("error", "error"), ("failure", "failed"), ("skipped", "skipped")):
        found = case.find(tag)
        if found is not None:
            return TestOutcome(name, status, found.get("message") or "")
    return TestOutcome(name, "passed")


def _build_clean_environment() -> dict[str, str]:
    """Return the environment without the runner's own Django, pytest, RSOLV and Stripe variables."""
    ours = ("DJANGO_", "PYTEST_", "RSOLV_", "STRIPE_", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
