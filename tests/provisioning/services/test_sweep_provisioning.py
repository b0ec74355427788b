from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import Customer, Membership
from provisioning.metrics import BROKEN
from provisioning.models import ProvisioningEvent, ProvisioningRun
from provisioning.selectors import list_broken_signups, list_complete_runs, list_overdue_runs
from provisioning.services.provision_customer import SCHEDULE, provision_customer
from provisioning.services.sweep_provisioning import check_signups, sweep_provisioning
from tests.outbox import make_due

Step = ProvisioningEvent.Step
AN_HOUR_AGO = timezone.now() - timedelta(hours=1)


def sign_up(name):
    """A customer whose signup is an hour old, with all that was due at once done."""
    customer = provision_customer(name=name, email=f"{name}@{name}.test", at=AN_HOUR_AGO).customer
    Customer.objects.filter(pk=customer.pk).update(created_at=AN_HOUR_AGO)
    return customer


@pytest.fixture
def finish(billing_env):
    """Let the steps run that are due."""

    def run():
        make_due(ProvisioningEvent.objects.filter(due_at__lte=timezone.now()))
        with billing_env.run_tasks():
            sweep_provisioning()

    return run


class TestAStepThatIsNew:
    """Added to the list after customers had signed up."""

    @pytest.fixture
    def customer(self, finish, monkeypatch):
        with monkeypatch.context() as before:
            before.delitem(SCHEDULE, Step.MAIL_DAY_7)
            customer = sign_up("acme")
        finish()
        return customer

    def test_is_not_missing_where_the_signup_began_without_it(self, customer):
        assert customer.provisioning_events.count() == len(Step.choices) - 1
        assert list_broken_signups(at=timezone.now()) == []

    def test_fires_no_alert(self, customer):
        sweep_provisioning()
        assert BROKEN._value.get() == 0

    def test_is_missing_where_a_later_signup_lacks_it(self, customer, finish):
        other = sign_up("other")
        finish()
        other.provisioning_events.filter(step=Step.MAIL_DAY_7).delete()
        (broken,) = list_broken_signups(at=timezone.now())
        assert (broken.customer_id, broken.reasons) == (other.pk, ("5 of 6 steps",))


class TestCheckSignups:
    def test_counts_those_that_are_late_and_broken(self, billing_env):
        sign_up("acme")
        assert check_signups(at=timezone.now()) == 1

    def test_gives_a_young_signup_time(self, billing_env):
        provision_customer(name="Acme", email="ann@acme.test")
        assert check_signups(at=timezone.now()) == 0

    def test_counts_a_customer_without_its_owner(self, finish):
        customer = sign_up("acme")
        Membership.objects.filter(customer=customer).delete()
        finish()
        assert check_signups(at=timezone.now()) == 1

    def test_leaves_out_who_has_closed_the_account(self, billing_env):
        sign_up("acme")
        Customer.objects.update(closed_at=timezone.now())
        assert check_signups(at=timezone.now()) == 0
        assert ProvisioningRun.objects.get().completed_at is not None

    def test_looks_at_nobody_again_who_is_complete(self, finish):
        for name in ("acme", "other", "third"):
            sign_up(name)
        finish()
        check_signups(at=timezone.now())
        assert not list_overdue_runs(at=timezone.now()).exists()
        assert ProvisioningRun.objects.filter(completed_at=None).count() == 0

    def test_asks_as_often_however_many_have_finished(self, finish):
        with CaptureQueriesContext(connection) as none:
            check_signups(at=timezone.now())
        for name in ("acme", "other"):
            sign_up(name)
        finish()
        with CaptureQueriesContext(connection) as some:
            check_signups(at=timezone.now())
        assert len(none) == len(some) == 2

    @pytest.mark.services
    def test_reads_the_index_of_those_that_are_not_complete(self, db):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        for rows in (list_complete_runs(at=timezone.now()), list_overdue_runs(at=timezone.now())):
            assert "provisioning_run_incomplete" in rows.explain()
