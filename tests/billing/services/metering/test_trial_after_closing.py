import pytest
from django.utils import timezone

from billing.selectors.entitlements import get_entitlement
from customers.models import Customer
from customers.services.claim_namespace import claim_namespace
from customers.services.release_namespace import release_namespaces
from tests.factories import BillingAccountFactory, CustomerFactory, ForgeAccountFactory, UsageRecordFactory

NOW = timezone.now()


def use_trial(customer: Customer, fixes: int) -> None:
    """Record fixes of a trial in the namespace acme, then release the namespace."""
    account = ForgeAccountFactory(customer=customer, namespace="acme")
    for number in range(1, fixes + 1):
        UsageRecordFactory(
            execution__repository__forge_account=account,
            execution__issue_number=number,
            coverage="trial",
        )
    release_namespaces(customer=customer, at=NOW)


@pytest.fixture
def newcomer(db) -> Customer:
    customer = CustomerFactory()
    BillingAccountFactory(customer=customer)
    return customer


@pytest.mark.django_db
class TestReleasedNamespace:
    def test_does_not_grant_used_free_fixes_again(self, newcomer) -> None:
        use_trial(CustomerFactory(), fixes=7)
        claim_namespace(customer=newcomer, namespace="Acme")
        assert get_entitlement(customer=newcomer).remaining == 3

    def test_adds_up_the_usage_of_all_its_holders(self, newcomer) -> None:
        for fixes in (7, 6):
            use_trial(CustomerFactory(), fixes=fixes)
        claim_namespace(customer=newcomer, namespace="acme")
        assert get_entitlement(customer=newcomer).blocked_reason == "owner_trial_exhausted"

    def test_is_counted_once(self, newcomer) -> None:
        use_trial(CustomerFactory(), fixes=2)
        for _ in range(2):
            claim_namespace(customer=newcomer, namespace="acme")
        assert get_entitlement(customer=newcomer).remaining == 8

    def test_does_not_affect_another_namespace(self, newcomer) -> None:
        use_trial(CustomerFactory(), fixes=7)
        claim_namespace(customer=newcomer, namespace="other")
        assert get_entitlement(customer=newcomer).remaining == 10
