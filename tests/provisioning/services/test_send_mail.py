from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from core.mail.build import Content
from core.outbox import leases
from provisioning.models import OutgoingMail
from provisioning.services.send_mail import create_outgoing_mail, send_mail
from tests.outbox import make_due


@pytest.fixture
def queued(db):
    return create_outgoing_mail(to="alice@acme.test", content=Content("Your code", "1234", "<p>1234</p>"))


@pytest.fixture
def broken(monkeypatch):
    def fail(self):
        raise SMTPServerDisconnected("gone")

    monkeypatch.setattr(EmailMultiAlternatives, "send", fail)


def send(queued):
    make_due(OutgoingMail.objects.all())
    send_mail(mail_id=queued.pk)
    queued.refresh_from_db()
    return queued


class TestSendMail:
    def test_sends_once_and_clears_the_text(self, queued, mailoutbox):
        send(send(queued))
        assert len(mailoutbox) == 1
        assert (queued.status, queued.text, queued.html) == ("sent", "", "")

    def test_message_id_contains_the_primary_key(self, queued, mailoutbox):
        send(queued)
        assert mailoutbox[0].message()["Message-ID"] == f"<{queued.pk}@localhost>"

    def test_retry_after_a_crash_keeps_the_message_id(self, queued, mailoutbox, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(leases, "complete", lambda *_, **__: (_ for _ in ()).throw(SystemExit))
            with pytest.raises(SystemExit):
                send(queued)
        send(queued)
        first, second = (sent.message()["Message-ID"] for sent in mailoutbox)
        assert first == second

    def test_is_retried_within_a_minute(self, queued, broken):
        assert send(queued).status == "pending"
        assert queued.next_attempt_at < timezone.now() + timedelta(minutes=1)
        assert (queued.text, queued.last_error) == ("1234", "SMTPServerDisconnected: gone")

    def test_expires_after_an_hour_and_clears_the_text(self, queued, broken, time_machine):
        time_machine.move_to(timezone.now() + timedelta(hours=1))
        assert send(queued).status == "expired"
        assert (queued.text, queued.html, queued.next_attempt_at) == ("", "", None)
