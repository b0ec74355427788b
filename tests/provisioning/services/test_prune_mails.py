from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from core.mail.build import Content
from core.outbox import operators
from provisioning import tasks
from provisioning.models import OutgoingMail
from provisioning.services.prune_mails import prune_mails
from provisioning.services.send_mail import create_outgoing_mail
from tests.outbox import park

NOW = timezone.now()
OLD = timedelta(days=settings.MAIL_RETENTION_DAYS, hours=1)


@pytest.fixture
def make_mail(db, time_machine):
    """Return a function that creates a mail so long ago."""

    def make(status="sent", *, ago=OLD):
        time_machine.move_to(NOW - ago)
        mail = create_outgoing_mail(to="alice@acme.test", content=Content("Your code", "1234", ""))
        rows = OutgoingMail.objects.filter(pk=mail.pk)
        if status == "parked":
            park(rows)
        elif status != "pending":
            operators.close(rows, at=timezone.now(), status=status)
        time_machine.move_to(NOW)

    return make


class TestPruneMails:
    @pytest.mark.parametrize("status", ["sent", "expired", "parked"])
    def test_deletes_an_old_mail(self, make_mail, status):
        make_mail(status)
        assert prune_mails(at=NOW) == 1
        assert not OutgoingMail.objects.exists()

    @pytest.mark.parametrize("status", ["sent", "expired"])
    def test_keeps_a_recent_mail(self, make_mail, status):
        make_mail(status, ago=OLD - timedelta(hours=2))
        assert prune_mails(at=NOW) == 0

    def test_keeps_a_pending_mail(self, make_mail):
        make_mail("pending")
        assert prune_mails(at=NOW) == 0

    def test_clears_a_parked_mail_with_an_expired_code(self, make_mail):
        make_mail("parked", ago=timedelta(hours=2))
        prune_mails(at=NOW)
        mail = OutgoingMail.objects.get()
        assert (mail.status, mail.text) == ("expired", "")

    def test_keeps_a_parked_mail_with_a_valid_code(self, make_mail):
        make_mail("parked", ago=timedelta(minutes=30))
        prune_mails(at=NOW)
        assert OutgoingMail.objects.get().status == "parked"

    def test_is_scheduled_as_a_task(self, make_mail):
        make_mail()
        tasks.prune_mails()
        assert not OutgoingMail.objects.exists()
        assert "provisioning.tasks.prune_mails" in {
            entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()
        }
