from datetime import timedelta

import pytest
from django.utils import timezone

from billing.stripe_gateway.errors import StripeUnavailable
from customers.models import AuditLogEntry, Customer, User
from customers.services.authenticate_key import authenticate_api_key
from customers.services.claim_namespace import claim_namespace
from customers.services.manage_keys import create_api_key
from provisioning.models import OutgoingMail
from provisioning.services import close_account as module
from provisioning.services.close_account import PlanSetupInProgress, close_account
from provisioning.services.provision_customer import SignupRejected, provision_customer
from tests.factories import UsageRecordFactory
from tests.tenants import make_owner

NOW = timezone.now()


@pytest.fixture
def owner(customer) -> User:
    return make_owner(customer).user


@pytest.fixture
def ended(monkeypatch) -> list[Customer]:
    """The customers whose plans were ended."""
    ended = []
    monkeypatch.setattr(module, "end_all_plans", lambda customer: ended.append(customer))
    return ended


class TestCloseAccount:
    def test_ends_the_plan(self, customer, owner, ended) -> None:
        close_account(customer=customer, by=owner, at=NOW)
        assert ended == [customer]

    def test_revokes_its_keys_at_once(self, customer, owner) -> None:
        raw = create_api_key(customer=customer, name="CI").raw
        close_account(customer=customer, by=owner, at=NOW)
        assert authenticate_api_key(raw) is None
        assert customer.api_keys.get().revoked_at == NOW

    def test_notifies_the_account_and_who_closed_it(self, customer, owner) -> None:
        close_account(customer=customer, by=owner, at=NOW)
        mails = OutgoingMail.objects.order_by("to")
        assert [mail.to for mail in mails] == sorted([customer.email, owner.email])
        assert mails[0].subject == f"The RSOLV account of “{customer.name}” is closed"
        assert owner.email in mails[0].text

    def test_is_recorded_in_the_audit_log(self, customer, owner) -> None:
        close_account(customer=customer, by=owner, at=NOW, address="192.0.2.7")
        entry = AuditLogEntry.objects.get(action="account_closed")
        assert (entry.actor, entry.address) == (owner, "192.0.2.7")

    def test_frees_its_address_for_a_new_account(self, customer, owner) -> None:
        close_account(customer=customer, by=owner, at=NOW)
        made = provision_customer(name="Acme again", email=customer.email.upper())
        assert made.customer.pk != customer.pk
        assert authenticate_api_key(made.key.raw).customer_id == made.customer.pk

    def test_frees_its_namespaces(self, customer, owner) -> None:
        claim_namespace(customer=customer, namespace="acme")
        close_account(customer=customer, by=owner, at=NOW)
        made = provision_customer(name="Acme again", email=customer.email, namespace="acme")
        assert made.customer.forge_accounts.get().namespace == "acme"

    def test_keeps_its_own_ledger_and_people(self, customer, owner) -> None:
        usage = UsageRecordFactory(execution__repository__forge_account__customer=customer)
        close_account(customer=customer, by=owner, at=NOW)
        provision_customer(name="Acme again", email=customer.email)
        usage.refresh_from_db()
        assert usage.customer == customer
        assert customer.memberships.get().user == owner

    def test_address_of_an_open_account_is_in_use(self, customer) -> None:
        with pytest.raises(SignupRejected):
            provision_customer(name="Acme again", email=customer.email)

    def test_second_closing_keeps_the_first_time(self, customer, owner) -> None:
        for later in (timedelta(0), timedelta(hours=1)):
            close_account(customer=customer, by=owner, at=NOW + later)
        customer.refresh_from_db()
        assert customer.closed_at == NOW
        assert AuditLogEntry.objects.filter(action="account_closed").count() == 1

    def test_changes_nothing_while_stripe_is_unavailable(self, customer, owner, monkeypatch) -> None:
        def fail(customer: Customer) -> None:
            raise StripeUnavailable

        monkeypatch.setattr(module, "end_all_plans", fail)
        with pytest.raises(StripeUnavailable):
            close_account(customer=customer, by=owner, at=NOW)
        customer.refresh_from_db()
        assert customer.closed_at is None

    def test_is_rejected_while_a_plan_is_pending(self, customer, owner, ended) -> None:
        account = customer.billing_account
        account.plan, account.status = "payg", "pending"
        account.save()
        with pytest.raises(PlanSetupInProgress):
            close_account(customer=customer, by=owner, at=NOW)
        assert ended == []
