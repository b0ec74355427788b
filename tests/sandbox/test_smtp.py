import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from sandbox.smtp import MailServer


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer(0) as server:
        yield server


def send(server: MailServer, to: str, reference: str = "<1@test>") -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"], mail["Subject"] = "a@b.test", to, reference, "Hello"
    mail.set_content("A line\n.a line that begins with a dot\n")
    with smtplib.SMTP("127.0.0.1", server.port, timeout=5) as client:
        client.send_message(mail)


class TestMailServer:
    def test_counts_what_it_took_by_recipient(self, server) -> None:
        send(server, "Alice@acme.test")
        assert server.count_for("alice@acme.test") == 1
        assert server.count_for("bob@acme.test") == 0

    def test_counts_a_mail_that_comes_twice_twice(self, server) -> None:
        send(server, "alice@acme.test")
        send(server, "alice@acme.test")
        assert server.taken == {("alice@acme.test", "<1@test>"): 2}

    def test_keeps_the_last_of_each_recipient(self, server) -> None:
        send(server, "alice@acme.test")
        assert server.read_last("alice@acme.test") == "A line\n.a line that begins with a dot\n"
        assert server.read_last("bob@acme.test") == ""

    def test_refuses_its_share_and_keeps_nothing_of_it(self, server) -> None:
        server.refused_share = 1.0
        with pytest.raises(smtplib.SMTPDataError):
            send(server, "alice@acme.test")
        assert (server.refused, server.count_for("alice@acme.test")) == (1, 0)
