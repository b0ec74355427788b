"""Read the mails of Django's file-based backend: `.log` files with messages divided by dashes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path

_DIVIDER = re.compile(r"^-{79}\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Mail:
    """One message. `key` identifies it as long as its file exists."""

    key: str
    subject: str
    sender: str
    to: str
    sent_at: datetime | None
    text: str
    html: str


def read_all(folder: str | None) -> list[Mail]:
    """Return the mails, newest first; none if the folder does not exist."""
    if not folder or not Path(folder).is_dir():
        return []
    files = sorted(Path(folder).glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [mail for path in files for mail in reversed(list(_in_file(path)))]


def find(folder: str | None, key: str) -> Mail | None:
    return next((mail for mail in read_all(folder) if mail.key == key), None)


def _in_file(path: Path) -> Iterator[Mail]:
    blocks = _DIVIDER.split(path.read_text(errors="replace"))
    for number, block in enumerate(blocks):
        if block.strip():
            message = message_from_string(block.lstrip(), policy=policy.default)
            yield _mail(f"{path.stem}-{number}", message)


def _mail(key: str, message: EmailMessage) -> Mail:
    date = message["date"]
    return Mail(
        key=key,
        subject=str(message["subject"] or "(no subject)"),
        sender=str(message["from"] or ""),
        to=str(message["to"] or ""),
        sent_at=date.datetime if date else None,
        text=_body(message, "plain"),
        html=_body(message, "html"),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part else ""
