"""A local SMTP server that records mail, and rejects some of it on demand."""

import random
import threading
from collections import Counter
from email import message_from_bytes, policy
from types import TracebackType

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from .processes import pick_any_port
from .stack import HOST

ACCEPTED = "250 2.0.0 OK"
TRY_LATER = "451 4.3.0 Try again later"
MAX_MAIL_BYTES = 10 * 1024 * 1024
START_SECONDS = 60  # on a busy machine


class MailServer:
    """A context manager that runs the server.

    `rejection_rate`, from 0 to 1, is the share of mails that get a 451; it may be set at any time.
    `accepted` counts mails by recipient and Message-ID, which shows a mail that was sent twice. Only the last
    mail to each recipient is stored.
    """

    def __init__(self, *, seed: int = 0) -> None:
        self.port = pick_any_port()
        self.rejection_rate = 0.0
        self.rejected = 0
        self.accepted: Counter[tuple[str, str]] = Counter()
        self._last: dict[str, bytes] = {}
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._lock = threading.Lock()
        self._controller = Controller(
            self, HOST, self.port, ready_timeout=START_SECONDS, data_size_limit=MAX_MAIL_BYTES
        )

    def __enter__(self) -> "MailServer":
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()

    def count_for(self, recipient: str) -> int:
        """Return the number of accepted mails to an address, including repeated ones."""
        with self._lock:
            return sum(count for (to, _), count in self.accepted.items() if to == recipient)

    def read_last(self, recipient: str) -> str:
        """Return the text of the last mail to an address, or "" if there is none."""
        with self._lock:
            mail = self._last.get(recipient)
        body = message_from_bytes(mail, policy=policy.default).get_body(("plain",)) if mail else None
        return str(body.get_content()).replace("\r\n", "\n") if body else ""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        content = envelope.original_content or b""
        recipients = [address.lower() for address in envelope.rcpt_tos]
        with self._lock:
            if self._random.random() < self.rejection_rate:
                self.rejected += 1
                return TRY_LATER
            message_id = str(message_from_bytes(content)["Message-ID"])
            self._last.update(dict.fromkeys(recipients, content))
            self.accepted.update((recipient, message_id) for recipient in recipients)
            return ACCEPTED
