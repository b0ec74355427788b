"""`python -m sandbox.checks.secrets [FOLDER]`: no tracked file of a git repository holds a secret."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

DETECTORS = Path(__file__).with_name("detectors.py")
KNOWN = (
    *("AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "GitHubTokenDetector"),
    *("JwtTokenDetector", "NpmDetector", "PrivateKeyDetector", "SendGridDetector", "SlackDetector"),
    *("StripeDetector", "TwilioKeyDetector"),
)
OURS = ("KeyFileDetector", "RsolvKeyDetector", "StripeKeyDetector", "WebhookSecretDetector")
# By file and text: what looks like a secret and is none, with the reason.
ALLOWED = {
    ("docs/configuration.md", "password"): "an example of an address",
    ("sandbox/probe.py", "postgres"): "the name that PostgreSQL's images begin with, on this machine alone",
    ("tests/phases/test_links.py", "pass"): "an address that must not become a link",
}


@dataclass(frozen=True)
class Finding:
    file: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        """Without the secret: this is printed in CI's log."""
        return f"{self.file}:{self.line}: {self.kind}"


def find_secrets(folder: Path) -> list[Finding]:
    """What looks like a secret in tracked files, but for ALLOWED. Inline comments allow nothing."""
    return [each for each in _scan(folder) if (each.file, each.text) not in ALLOWED]


def _scan(folder: Path) -> Iterator[Finding]:
    plugins = [{"name": name} for name in KNOWN]
    plugins += [{"name": name, "path": DETECTORS.as_uri()} for name in OURS]
    found = SecretsCollection(root=str(folder))
    with transient_settings({"plugins_used": plugins, "filters_used": []}):
        for name in _list_tracked(folder):
            found.scan_file(name)
    for name, secret in found:
        yield Finding(name, secret.line_number, secret.type, secret.secret_value or "")


def _list_tracked(folder: Path) -> list[str]:
    command = ["git", "-C", str(folder), "ls-files", "-z"]
    listed = subprocess.run(command, capture_output=True, check=True, text=True)
    return [name for name in listed.stdout.split("\0") if name and (folder / name).is_file()]


def main() -> int:
    findings = find_secrets(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    for each in findings:
        print(each, file=sys.stderr)
    if findings:
        print("Take it out, and revoke it: what was committed once is known.", file=sys.stderr)
        return 1
    print("No secret in any tracked file.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
