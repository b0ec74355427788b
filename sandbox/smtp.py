"""A mail server of this machine: it keeps whom it was given mail for, and may refuse a share of it."""

import random
import re
import socketserver
import threading
from collections import Counter
from email import message_from_bytes, policy
from types import TracebackType
from typing import Any

from .stack import HOST

ADDRESS = re.compile(rb"<([^>]*)>")
TRY_LATER = b"451 4.3.0 Try again later\r\n"
LONGEST_MAIL = 10 * 1024 * 1024


class MailServer:
    """A context. `refused_share` of the mails are answered with 451, from 0 to 1; it may be set at any time.

    `taken` counts by recipient and Message-ID, so that a mail sent twice is seen to be. Of each recipient the
    last mail is kept.
    """

    def __init__(self, port: int, *, seed: int = 0) -> None:
        self.refused_share = 0.0
        self.refused = 0
        self.taken: Counter[tuple[str, str]] = Counter()
        self._last: dict[str, bytes] = {}
        self._dice = random.Random(seed)  # noqa: S311 - no secret
        self._lock = threading.Lock()
        self._server = _Server((HOST, port), _Conversation)
        self._server.mailbox = self
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="smtp")

    def __enter__(self) -> "MailServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def count_for(self, recipient: str) -> int:
        """How many mails were taken for an address, one taken twice counted twice."""
        with self._lock:
            return sum(count for (to, _), count in self.taken.items() if to == recipient)

    def read_last(self, recipient: str) -> str:
        """The text of the last mail to an address, "" where none came."""
        with self._lock:
            mail = self._last.get(recipient)
        body = message_from_bytes(mail, policy=policy.default).get_body(("plain",)) if mail else None
        return str(body.get_content()).replace("\r\n", "\n") if body else ""

    def take(self, recipients: list[str], mail: bytes) -> bool:
        """Whether a mail was taken."""
        with self._lock:
            if self._dice.random() < self.refused_share:
                self.refused += 1
                return False
            reference = str(message_from_bytes(mail)["Message-ID"])
            self._last.update(dict.fromkeys(recipients, mail))
            self.taken.update((recipient, reference) for recipient in recipients)
            return True


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    mailbox: MailServer


class _Conversation(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as Python's client speaks."""

    timeout = 30
    server: Any

    def handle(self) -> None:
        recipients: list[str] = []
        self.wfile.write(b"220 sandbox\r\n")
        while line := self.rfile.readline(2048):
            verb = line[:4].upper()
            if verb == b"QUIT":
                self.wfile.write(b"221 Bye\r\n")
                return
            if verb == b"RCPT" and (found := ADDRESS.search(line)):
                recipients.append(found[1].decode("ascii", "replace").lower())
            if verb == b"DATA":
                self.wfile.write(b"354 Go on\r\n")
                is_taken = self.server.mailbox.take(recipients, self._read_mail())
                self.wfile.write(b"250 Taken\r\n" if is_taken else TRY_LATER)
                recipients = []
            else:
                self.wfile.write(b"250 OK\r\n")

    def _read_mail(self) -> bytes:
        lines, size = [], 0
        while (line := self.rfile.readline()) and line != b".\r\n":
            size += len(line)
            if size > LONGEST_MAIL:
                raise ValueError("a mail without an end")
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)
