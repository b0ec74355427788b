from datetime import timedelta

import pytest
from django.utils import timezone

from provisioning.models import ProvisioningEvent
from provisioning.services import provision_customer, retry_steps

NOW = timezone.now()
LATER = NOW + timedelta(hours=1)
Step = ProvisioningEvent.Step


@pytest.fixture
def welcome(db) -> ProvisioningEvent:
    made = provision_customer(name="Acme", email="alice@acme.test", at=NOW)
    made.customer.provisioning_events.filter(step=Step.STRIPE_CUSTOMER).update(state="done")
    return made.customer.provisioning_events.get(step=Step.WELCOME_MAIL)


def put_off(event: ProvisioningEvent, **fields: object) -> None:
    ProvisioningEvent.objects.filter(pk=event.pk).update(attempts=3, next_attempt_at=LATER, **fields)


class TestRetrySteps:
    def test_makes_due_what_failed_and_waits(self, welcome) -> None:
        put_off(welcome, last_error="SMTPServerDisconnected")
        assert retry_steps(at=NOW) == 1
        welcome.refresh_from_db()
        assert welcome.next_attempt_at == NOW

    def test_leaves_what_a_worker_holds(self, welcome) -> None:
        put_off(welcome, last_error="")
        retry_steps(at=NOW)
        welcome.refresh_from_db()
        assert welcome.next_attempt_at == LATER

    def test_leaves_mails_of_later_days(self, welcome) -> None:
        retry_steps(at=NOW)
        later = welcome.customer.provisioning_events.get(step=Step.MAIL_DAY_1)
        assert later.next_attempt_at == NOW + timedelta(days=1)

    def test_leaves_what_waits_for_staff(self, welcome) -> None:
        ProvisioningEvent.objects.filter(pk=welcome.pk).update(state="failed", next_attempt_at=None)
        assert retry_steps(at=NOW) == 0
