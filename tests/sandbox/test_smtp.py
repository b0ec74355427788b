import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from sandbox.smtp import MailServer


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def send(server: MailServer, to: str, message_id: str = "<1@test>") -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"], mail["Subject"] = "a@b.test", to, message_id, "Hello"
    mail.set_content("A line\n.a line that begins with a dot\n")
    with smtplib.SMTP("127.0.0.1", server.port, timeout=30) as client:
        client.send_message(mail)


class TestMailServer:
    def test_counts_accepted_mail_by_recipient(self, server) -> None:
        send(server, "Alice@acme.test")
        assert server.count_for("alice@acme.test") == 1
        assert server.count_for("bob@acme.test") == 0

    def test_counts_a_repeated_mail_twice(self, server) -> None:
        send(server, "alice@acme.test")
        send(server, "alice@acme.test")
        assert server.accepted == {("alice@acme.test", "<1@test>"): 2}

    def test_keeps_the_last_mail_of_each_recipient(self, server) -> None:
        send(server, "alice@acme.test")
        assert server.read_last("alice@acme.test") == "A line\n.a line that begins with a dot\n"
        assert server.read_last("bob@acme.test") == ""

    def test_rejects_with_451_and_does_not_store_the_mail(self, server) -> None:
        server.rejection_rate = 1.0
        with pytest.raises(smtplib.SMTPDataError) as error:
            send(server, "alice@acme.test")
        assert error.value.smtp_code == 451
        assert (server.rejected, server.count_for("alice@acme.test")) == (1, 0)

    def test_accepts_mail_after_the_rejection_rate_is_reset(self, server) -> None:
        server.rejection_rate = 1.0
        with pytest.raises(smtplib.SMTPDataError):
            send(server, "alice@acme.test")
        server.rejection_rate = 0.0
        send(server, "alice@acme.test")
        assert server.count_for("alice@acme.test") == 1

    def test_closes_its_port_at_the_end(self) -> None:
        with MailServer() as server:
            port = server.port
        with pytest.raises(ConnectionRefusedError):
            smtplib.SMTP("127.0.0.1", port, timeout=5)
