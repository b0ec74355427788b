"""The commands of make targets, as `make --dry-run` prints them."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def dry_run(*arguments: str) -> str:
    """Return the command that a target would run last."""
    # Without an outer make's flags, because make may have started the tests.
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/"}
    command = ["make", "--dry-run", "--no-print-directory", *arguments]
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return made.stdout.splitlines()[-1]


class TestPorts:
    @pytest.mark.parametrize("target", ["run", "demo"])
    def test_are_passed_to_the_command(self, target):
        command = dry_run(target, "PORT=8080", "STRIPE_PORT=12112")
        assert f"-m sandbox.{target}" in command
        assert command.split()[-4:] == ["--port", "8080", "--stripe-port", "12112"]

    @pytest.mark.parametrize("target", ["run", "demo"])
    def test_are_omitted_unless_given(self, target):
        assert "port" not in dry_run(target)

    def test_are_independent(self):
        assert dry_run("run", "PORT=8080").split()[-2:] == ["--port", "8080"]


class TestOptions:
    @pytest.mark.parametrize(
        ("arguments", "options"),
        [
            (("chaos", "SEED=7", "FIXES=120"), "--seed 7 --fixes 120"),
            (("load", "SCENARIOS=signups", "SEEDED=50"), "--scenarios signups --seeded 50"),
            (("demo", "ONCE=1"), "--once"),
            (("bench", "ONLY=entitlement"), "--only entitlement"),
        ],
    )
    def test_are_passed_to_the_command(self, arguments, options):
        assert dry_run(*arguments).rstrip().endswith(options)
