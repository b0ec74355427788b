"""A vulnerable dependency fails the build; an unreachable database of vulnerabilities does not."""

import json
from typing import Any

import pytest

from sandbox.checks import dependencies
from sandbox.checks.dependencies import Audit, audit, main, read_report, report

FINE = {"name": "django", "version": "5.2.19", "vulns": []}
BAD = {
    "name": "flask",
    "version": "0.1",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.0"], "aliases": ["CVE-1"], "description": "…"}],
}
SKIPPED = {"name": "vine", "skip_reason": "Dependency not found on PyPI"}


def write(*rows: Any) -> str:
    return json.dumps({"dependencies": rows, "fixes": []})


class TestReadReport:
    def test_names_the_vulnerability_and_the_fixed_version(self) -> None:
        found = read_report(write(FINE, BAD, SKIPPED))
        assert found == Audit(checked=2, unknown=1, vulnerabilities=("flask 0.1: PYSEC-1, fixed in 1.0",))

    @pytest.mark.parametrize("name", ["PYSEC-1", "CVE-1"])
    def test_leaves_out_ignored_vulnerabilities(self, monkeypatch: Any, name: str) -> None:
        monkeypatch.setitem(dependencies.IGNORED, name, "not reachable")
        assert read_report(write(BAD)).vulnerabilities == ()


class TestReport:
    def test_fails_for_a_vulnerability(self, capsys: Any) -> None:
        assert report("a.lock", read_report(write(FINE, BAD))) is False
        assert "flask 0.1: PYSEC-1" in capsys.readouterr().err

    def test_reports_an_unreachable_database_without_failing(self, capsys: Any) -> None:
        assert report("a.lock", None) is True
        assert capsys.readouterr().out.startswith("SKIPPED: a.lock")

    def test_counts_the_dependencies(self, capsys: Any) -> None:
        assert report("a.lock", read_report(write(FINE, SKIPPED))) is True
        assert "1 dependencies, 0 vulnerabilities; PyPI did not know 1 more." in capsys.readouterr().out


class TestAudit:
    def answer(self, monkeypatch: Any, text: str) -> None:
        """Let pip-audit print a text."""
        command = ["-c", f"print({text!r})"]
        run = dependencies.subprocess.run
        monkeypatch.setattr(
            dependencies.subprocess, "run", lambda given, **options: run([given[0], *command], **options)
        )

    @pytest.mark.parametrize("text", [write(SKIPPED), "", "Traceback", "{}"])
    def test_is_none_without_results(self, monkeypatch: Any, text: str) -> None:
        self.answer(monkeypatch, text)
        assert audit("a.lock") is None
        assert main(["a.lock"]) == 0

    def test_fails_the_build_for_a_vulnerability(self, monkeypatch: Any) -> None:
        self.answer(monkeypatch, write(FINE, BAD))
        assert main(["a.lock"]) == 1
