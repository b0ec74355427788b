from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import REGISTRY

from customers.models import Membership
from provisioning.models import ProvisioningEvent, ProvisioningRun
from provisioning.selectors import list_broken_signups, list_complete_runs, list_overdue_runs
from provisioning.services.close_account import close_account
from provisioning.services.provision_customer import SCHEDULE, provision_customer
from provisioning.services.sweep_provisioning import check_signups, sweep_provisioning
from tests.outbox import make_due

Step = ProvisioningEvent.Step


@pytest.fixture
def sign_up(db, time_machine):
    """Return a function that signs up a customer and lets an hour pass."""

    def provision(name):
        customer = provision_customer(name=name, email=f"{name}@{name}.test").customer
        time_machine.move_to(timezone.now() + timedelta(hours=1))
        return customer

    return provision


@pytest.fixture
def finish(billing_env):
    """Return a function that runs the steps that are due."""

    def run():
        make_due(ProvisioningEvent.objects.filter(due_at__lte=timezone.now()))
        with billing_env.run_tasks():
            sweep_provisioning()

    return run


class TestNewStep:
    """A step that was added after customers had signed up."""

    @pytest.fixture
    def earlier(self, sign_up, finish, monkeypatch):
        """A customer who signed up before the step was added."""
        with monkeypatch.context() as before:
            before.delitem(SCHEDULE, Step.MAIL_DAY_7)
            customer = sign_up("acme")
        finish()
        return customer

    def test_is_not_required_of_earlier_signups(self, earlier):
        assert earlier.provisioning_events.count() == len(Step.choices) - 1
        assert list_broken_signups(at=timezone.now()) == []

    def test_triggers_no_alert(self, earlier):
        sweep_provisioning()
        assert REGISTRY.get_sample_value("rsolv_provisioning_broken") == 0

    def test_is_required_of_later_signups(self, earlier, sign_up, finish):
        other = sign_up("other")
        finish()
        other.provisioning_events.filter(step=Step.MAIL_DAY_7).delete()
        (broken,) = list_broken_signups(at=timezone.now())
        count = len(Step.choices)
        assert (broken.customer_id, broken.reasons) == (other.pk, (f"{count - 1} of {count} steps",))


class TestCheckSignups:
    def test_counts_overdue_broken_signups(self, sign_up):
        sign_up("acme")
        assert check_signups(at=timezone.now()) == 1

    def test_excludes_recent_signups(self, db):
        provision_customer(name="Acme", email="alice@acme.test")
        assert check_signups(at=timezone.now()) == 0

    def test_counts_a_customer_without_its_owner(self, sign_up, finish):
        customer = sign_up("acme")
        Membership.objects.filter(customer=customer).delete()
        finish()
        assert check_signups(at=timezone.now()) == 1

    def test_excludes_closed_accounts(self, sign_up):
        customer = sign_up("acme")
        close_account(customer=customer, by=customer.memberships.get().user, at=timezone.now())
        assert check_signups(at=timezone.now()) == 0
        assert ProvisioningRun.objects.get().completed_at is not None

    def test_does_not_check_complete_signups_again(self, sign_up, finish):
        for name in ("acme", "other", "third"):
            sign_up(name)
        finish()
        check_signups(at=timezone.now())
        assert not list_overdue_runs(at=timezone.now()).exists()
        assert ProvisioningRun.objects.filter(completed_at=None).count() == 0

    def test_runs_the_same_queries_for_more_signups(self, sign_up, finish):
        with CaptureQueriesContext(connection) as none:
            check_signups(at=timezone.now())
        for name in ("acme", "other"):
            sign_up(name)
        finish()
        with CaptureQueriesContext(connection) as some:
            check_signups(at=timezone.now())
        assert len(none) == len(some) == 2

    @pytest.mark.services
    def test_uses_the_index_of_incomplete_runs(self, db):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        for rows in (list_complete_runs(at=timezone.now()), list_overdue_runs(at=timezone.now())):
            assert "provisioning_run_incomplete" in rows.explain()
