"""Registry of every mail that is sent. Each app registers its own in `ready()`, from its `mails.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# How often a mail goes to an address that a stranger may have typed in: customers/mail_limits.py.
Limit = Literal["", "unsolicited", "essential"]


@dataclass(frozen=True)
class Mail:
    """One mail.

    `key` is its name and the prefix of its templates: `<key>_subject.txt`, `<key>_message.txt` and
    `<key>_message.html`. Mails that share their templates give the prefix in `templates`. One that
    `is_text_only` has no HTML template: its HTML is its text in the common layout.

    `outbox` is the label of the model whose row delivers it, empty for the rows of `core.mail.queue`. The
    row's id makes the Message-ID. `opt_out` is the field of Membership that turns it off, empty for a mail
    that is always sent. `example` is a context with which it renders, for tests and previews.
    """

    key: str
    example: Mapping[str, Any] = field(hash=False)
    outbox: str = ""
    templates: str = ""
    is_text_only: bool = False
    opt_out: str = ""
    limit: Limit = ""

    @property
    def prefix(self) -> str:
        return self.templates or self.key


class UnknownMail(LookupError):
    """No app has registered a mail with this key."""


_mails: dict[str, Mail] = {}


def register_mails(*mails: Mail) -> None:
    """Add mails to the catalog. Raises ValueError where another has the same key."""
    for mail in mails:
        # The same object again is no conflict.
        if _mails.setdefault(mail.key, mail) is not mail:
            raise ValueError(f"Two mails have the key {mail.key}.")


def get_mail(key: str) -> Mail:
    """Return the mail with this key. Raises UnknownMail."""
    try:
        return _mails[key]
    except KeyError:
        raise UnknownMail(key) from None


def list_mails() -> list[Mail]:
    """Every registered mail, by key."""
    return [_mails[key] for key in sorted(_mails)]
