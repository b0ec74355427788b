"""Secrets in tracked files are found, and this repository has none."""

import subprocess
from pathlib import Path

import pytest

from sandbox.checks import secrets
from sandbox.checks.secrets import find_secrets, main

# Concatenated, so that this file contains no secret.
PLANTED = {
    "Stripe live key": "sk_" + "live_" + "51H" + "a1B2c3D4" * 12,
    "RSOLV API key": "rsolv_" + "Ab3-_" * 8 + "xY9",
    "AWS Access Key": "AKIA" + "IOSFODNN7QWERTYU",
    "Private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "GitHub Token": "ghp_" + "a1B2" * 9,
    "Stripe webhook secret": "whsec_" + "a1B2c3D4" * 4,
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "fine.py").write_text(
        "KEY = 'rsolv_…'\nmetric = 'rsolv_billing_webhooks_oldest_seconds_of_them_all_x'\n"
    )
    subprocess.run(["git", "-C", str(tmp_path), "add", "-A"], check=True)
    return tmp_path


def plant(repository: Path, text: str) -> None:
    (repository / "settings.py").write_text(f"first = 1\nvalue = '{text}'  # pragma: allowlist secret\n")
    subprocess.run(["git", "-C", str(repository), "add", "-A"], check=True)


class TestFindSecrets:
    @pytest.mark.parametrize("kind", PLANTED)
    def test_finds_a_planted_secret(self, repository: Path, kind: str) -> None:
        plant(repository, PLANTED[kind])
        found = find_secrets(repository)
        assert (kind, "settings.py", 2) in {(each.kind, each.file, each.line) for each in found}

    def test_prints_no_secret(self, repository: Path) -> None:
        plant(repository, PLANTED["RSOLV API key"])
        assert PLANTED["RSOLV API key"] not in str(find_secrets(repository)[0])

    def test_finds_nothing_in_a_clean_repository(self, repository: Path) -> None:
        assert find_secrets(repository) == []

    def test_scans_only_tracked_files(self, repository: Path) -> None:
        (repository / "left.env").write_text(PLANTED["AWS Access Key"])
        assert find_secrets(repository) == []

    def test_fails_the_build(self, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        plant(repository, PLANTED["Private key"])
        monkeypatch.setattr("sys.argv", ["secrets", str(repository)])
        assert main() == 1


def test_every_allowed_text_is_still_needed_and_has_a_reason() -> None:
    root = Path(__file__).resolve().parents[3]
    assert all(
        reason and text in (root / file).read_text() for (file, text), reason in secrets.ALLOWED.items()
    )
