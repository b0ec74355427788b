from datetime import timedelta

import pytest
from django.utils import timezone

from core.outbox import leases, operators
from provisioning.models import ProvisioningEvent
from provisioning.services.provision_customer import provision_customer
from provisioning.services.retry_steps import retry_steps
from tests.outbox import park

NOW = timezone.now()
Step = ProvisioningEvent.Step


@pytest.fixture
def welcome(db) -> ProvisioningEvent:
    made = provision_customer(name="Acme", email="alice@acme.test", at=NOW)
    stripe_customer = made.customer.provisioning_events.filter(step=Step.STRIPE_CUSTOMER)
    operators.close(stripe_customer, at=NOW, status="done")
    return made.customer.provisioning_events.get(step=Step.WELCOME_MAIL)


class TestRetrySteps:
    def test_makes_a_rescheduled_step_due(self, welcome) -> None:
        leases.reschedule(leases.claim(ProvisioningEvent.objects.all(), pk=welcome.pk), "no answer")
        assert retry_steps(at=NOW) == 1
        welcome.refresh_from_db()
        assert welcome.next_attempt_at == NOW

    def test_skips_a_leased_step(self, welcome) -> None:
        claimed = leases.claim(ProvisioningEvent.objects.all(), pk=welcome.pk)
        retry_steps(at=NOW)
        welcome.refresh_from_db()
        assert welcome.next_attempt_at == claimed.lease_ends_at

    def test_skips_mails_of_later_days(self, welcome) -> None:
        retry_steps(at=NOW)
        later = welcome.customer.provisioning_events.get(step=Step.MAIL_DAY_1)
        assert later.next_attempt_at == NOW + timedelta(days=1)

    def test_skips_a_parked_step(self, welcome) -> None:
        park(ProvisioningEvent.objects.filter(pk=welcome.pk))
        assert retry_steps(at=NOW) == 0
