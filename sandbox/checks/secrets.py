"""`python -m sandbox.checks.secrets [FOLDER]`: fail if a tracked file in a git repository has a secret."""

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
# False positives, by file and text, with the reason.
ALLOWED = {
    ("docs/configuration.md", "password"): "an example URL",
    ("sandbox/probe.py", "postgres"): "the default password of PostgreSQL's images, on localhost only",
    ("tests/phases/test_links.py", "pass"): "a URL that must not become a link",
}


@dataclass(frozen=True)
class Finding:
    """A possible secret in a file. `text` is the secret itself: do not print it."""

    file: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        """Describe the finding without the secret, because CI logs it."""
        return f"{self.file}:{self.line}: {self.kind}"


def find_secrets(folder: Path) -> list[Finding]:
    """Return what looks like a secret in tracked files, except ALLOWED. Allowlist comments are ignored."""
    return [each for each in _scan(folder) if (each.file, each.text) not in ALLOWED]


def _scan(folder: Path) -> Iterator[Finding]:
    plugins = [{"name": name} for name in KNOWN]
    plugins += [{"name": name, "path": DETECTORS.as_uri()} for name in OURS]
    found = SecretsCollection(root=str(folder))
    # Without detect-secrets' filters, which skip lines with allowlist comments and whole kinds of files.
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
        print("Remove the secret and revoke it: anything ever committed is compromised.", file=sys.stderr)
        return 1
    print("No tracked file contains a secret.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
