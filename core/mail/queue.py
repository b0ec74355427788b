"""Queue of the mails that a request sends.

The app that keeps them as rows of the outbox registers itself in `ready()`.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from .build import Content, render_mail
from .catalog import get_mail


class MailQueue(Protocol):
    def __call__(self, *, to: str, content: Content) -> Any:
        """Keep a rendered mail and enqueue its delivery on commit."""


_registered: list[MailQueue] = []


def register_mail_queue(queue: MailQueue) -> None:
    """Make `queue` the one that keeps the mails of requests. A later call replaces it."""
    _registered[:] = [queue]


def queue_mail(key: str, *, to: str, context: Mapping[str, Any]) -> None:
    """Render a mail of the catalog and enqueue its delivery on commit. Calls nobody.

    Raises UnknownMail, and LookupError where no app has registered a queue.
    """
    if not _registered:
        raise LookupError("No mail queue is registered.")
    _registered[0](to=to, content=render_mail(get_mail(key), context))
