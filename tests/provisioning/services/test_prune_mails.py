from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from core import outbox
from core.mail.build import Content
from provisioning import tasks
from provisioning.models import OutgoingMail
from provisioning.services.prune_mails import prune_mails
from provisioning.services.send_mail import create_outgoing_mail
from tests.outbox import park

NOW = timezone.now()
OLD = timedelta(days=settings.MAIL_RETENTION_DAYS, hours=1)


def make_mail(status="sent", *, ago=OLD):
    mail = create_outgoing_mail(to="ann@acme.test", content=Content("Your code", "1234", ""))
    rows = OutgoingMail.objects.filter(pk=mail.pk)
    if status == "parked":
        park(rows)
    elif status != "pending":
        outbox.close(rows, at=NOW, status=status)
    rows.update(created_at=NOW - ago)
    return rows


@pytest.mark.django_db
class TestPruneMails:
    @pytest.mark.parametrize("status", ["sent", "expired", "parked"])
    def test_forgets_the_address_of_an_old_mail(self, status):
        make_mail(status)
        assert prune_mails(at=NOW) == 1
        assert not OutgoingMail.objects.exists()

    @pytest.mark.parametrize("status", ["sent", "expired"])
    def test_keeps_a_young_one(self, status):
        make_mail(status, ago=OLD - timedelta(hours=2))
        assert prune_mails(at=NOW) == 0

    def test_keeps_one_that_is_still_to_be_sent(self):
        make_mail("pending")
        assert prune_mails(at=NOW) == 0

    def test_empties_a_parked_mail_whose_code_has_expired(self):
        make_mail("parked", ago=timedelta(hours=2))
        prune_mails(at=NOW)
        mail = OutgoingMail.objects.get()
        assert (mail.status, mail.text) == ("expired", "")

    def test_leaves_a_parked_mail_to_staff_while_its_code_is_good(self):
        make_mail("parked", ago=timedelta(minutes=30))
        prune_mails(at=NOW)
        assert OutgoingMail.objects.get().status == "parked"

    def test_is_a_task_of_its_own(self):
        make_mail()
        tasks.prune_mails()
        assert not OutgoingMail.objects.exists()
        assert "provisioning.tasks.prune_mails" in {
            entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()
        }
