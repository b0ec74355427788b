"""The pool of free fixes of a namespace: its size, and who can use it."""

import threading

import pytest
from django.db import connections
from django.utils import timezone

from billing.models import UsageRecord
from billing.selectors.entitlements import get_entitlement
from billing.services.corrections.correct_usage import correct_usage
from billing.services.metering.claim_fix import UsageLimitExceeded, claim_fix
from billing.services.metering.record_usage import record_usage
from customers.services.claim_namespace import claim_namespace
from customers.services.prove_namespace import prove_namespace
from customers.services.release_namespace import release_namespace, release_namespaces
from tests.factories import (
    BillingAccountFactory,
    CustomerFactory,
    ForgeAccountFactory,
    MitigationFactory,
    RepositoryFactory,
    UserFactory,
)

NOW = timezone.now()


def make_customer(**account):
    customer = CustomerFactory()
    BillingAccountFactory(customer=customer, **account)
    return customer


def use(customer, fixes, *, namespace="acme"):
    """Store fixes in a namespace, and return the coverage of each."""
    account = claim_namespace(customer=customer, namespace=namespace)
    repository = account.repositories.first() or RepositoryFactory(forge_account=account)
    executions = [MitigationFactory(repository=repository) for _ in range(fixes)]
    return [record_usage(customer=customer, execution=each, occurred_at=NOW).coverage for each in executions]


def claim(customer, issue, *, namespace="acme"):
    return claim_fix(
        customer=customer, namespace=namespace, repository_name="shop", issue_number=issue, at=NOW
    )


def prove(customer, namespace="acme"):
    return prove_namespace(customer=customer, namespace=namespace, at=NOW)


@pytest.fixture
def owner(db):
    return make_customer()


@pytest.fixture
def squatter(db):
    return make_customer()


class TestTrialPool:
    def test_shares_ten_fixes_among_unproven_customers(self, squatter, owner):
        assert use(squatter, 7) == ["trial"] * 7
        assert use(owner, 5) == ["trial"] * 3 + ["unbilled"] * 2

    def test_ignores_case_of_names(self, squatter, owner):
        use(squatter, 10, namespace="Acme")
        assert use(owner, 1, namespace="ACME") == ["unbilled"]

    def test_is_separate_for_each_namespace(self, squatter, owner):
        use(squatter, 10)
        assert use(owner, 1, namespace="other") == ["trial"]

    def test_leaves_each_customer_its_own_ten(self, owner):
        assert use(owner, 6) + use(owner, 6, namespace="other") == ["trial"] * 10 + ["unbilled"] * 2

    def test_of_the_proven_owner_excludes_usage_of_others(self, squatter, owner):
        use(squatter, 10)
        prove(owner)
        assert use(owner, 11) == ["trial"] * 10 + ["unbilled"]

    def test_of_the_proven_owner_includes_its_earlier_usage(self, owner):
        use(owner, 6)
        prove(owner)
        assert use(owner, 5) == ["trial"] * 4 + ["unbilled"]

    def test_is_not_refilled_by_a_new_account_of_the_owner(self, owner):
        prove(owner)
        use(owner, 8)
        release_namespaces(customer=owner, at=NOW)
        heir = make_customer()
        prove(heir)
        assert use(heir, 3) == ["trial"] * 2 + ["unbilled"]

    def test_of_the_owner_ignores_a_revoked_proof(self, squatter, owner):
        prove(squatter)
        use(squatter, 10)
        release_namespace(namespace="acme", at=NOW)
        prove(owner)
        assert use(owner, 1) == ["trial"]

    def test_gets_a_slot_back_when_staff_void_a_fix(self, squatter, owner):
        use(squatter, 10)
        usage = UsageRecord.objects.filter(customer=squatter).first()
        staff = UserFactory(is_staff=True)
        correct_usage(usage=usage, kind="void", reason="Wrong.", made_by=staff, at=NOW)
        assert use(owner, 2) == ["trial", "unbilled"]

    def test_does_not_limit_a_paying_customer(self, squatter):
        use(squatter, 10)
        payer = make_customer(plan="payg", status="active")
        assert use(payer, 1) == ["metered"]

    def test_is_not_used_by_a_paying_customer(self, owner):
        use(make_customer(plan="payg", status="active"), 12)
        assert use(owner, 1) == ["trial"]

    def test_keeps_a_limit_raised_by_staff(self, squatter):
        use(squatter, 10)
        assert use(make_customer(trial_fixes_limit=12), 3) == ["trial", "trial", "unbilled"]


class TestEntitlement:
    def test_has_no_more_than_the_pools_have_left(self, squatter, owner):
        use(squatter, 8)
        claim_namespace(customer=owner, namespace="acme")
        found = get_entitlement(customer=owner)
        assert (found.used, found.remaining, found.blocked_reason) == (0, 2, None)

    def test_is_blocked_when_only_the_pool_is_empty(self, squatter, owner):
        use(squatter, 10)
        claim_namespace(customer=owner, namespace="acme")
        found = get_entitlement(customer=owner)
        assert (found.remaining, found.blocked_reason) == (0, "owner_trial_exhausted")
        assert found.is_trial_exhausted

    def test_adds_up_the_pools_of_all_namespaces(self, squatter, owner):
        use(squatter, 10)
        for namespace in ("acme", "other"):
            claim_namespace(customer=owner, namespace=namespace)
        assert get_entitlement(customer=owner).remaining == 10

    def test_reports_the_customers_own_trial_first(self, owner):
        use(owner, 10)
        assert get_entitlement(customer=owner).blocked_reason == "trial_exhausted"

    def test_is_full_before_the_first_namespace(self, owner):
        assert get_entitlement(customer=owner).remaining == 10

    def test_counts_fixes_in_namespaces_that_were_released(self, owner):
        use(owner, 4)
        release_namespace(customer=owner, namespace="acme", at=NOW)
        assert get_entitlement(customer=owner).used == 4

    def test_costs_two_queries(self, owner, django_assert_num_queries):
        use(owner, 1), use(owner, 1, namespace="other")
        with django_assert_num_queries(2):
            get_entitlement(customer=owner)


class TestClaim:
    def test_is_rejected_with_advice_when_only_the_pool_is_empty(self, squatter, owner):
        use(squatter, 10)
        with pytest.raises(UsageLimitExceeded) as rejection:
            claim(owner, 1)
        assert rejection.value.reason == "owner_trial_exhausted"
        assert (rejection.value.code, rejection.value.status) == ("USAGE_LIMIT_EXCEEDED", 402)
        assert "This GitHub owner's ten free fixes are used" in rejection.value.message

    def test_counts_claims_of_others_in_the_pool(self, squatter, owner):
        use(squatter, 9)
        claim(squatter, 100)
        with pytest.raises(UsageLimitExceeded):
            claim(owner, 1)

    def test_of_the_owner_ignores_claims_of_unproven_customers(self, squatter, owner):
        use(squatter, 9)
        claim(squatter, 100)
        prove(owner)
        assert claim(owner, 1).pk

    def test_does_not_count_against_itself(self, squatter, owner):
        use(squatter, 9)
        assert claim(owner, 1).pk == claim(owner, 1).pk

    def test_of_a_paying_customer_uses_nothing_from_the_pool(self, owner):
        payer = make_customer(plan="payg", status="active")
        for issue in range(1, 12):
            claim(payer, issue)
        assert claim(owner, 1).pk


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_concurrent_customers_get_no_more_than_ten_from_a_pool():
    accounts = [ForgeAccountFactory(customer=make_customer(), namespace="acme") for _ in range(6)]
    executions = [
        [MitigationFactory(repository=RepositoryFactory(forge_account=account)) for _ in range(3)]
        for account in accounts
    ]
    start, failures = threading.Barrier(len(accounts)), []

    def run(mine):
        start.wait()
        try:
            for execution in mine:
                record_usage(customer=execution.customer, execution=execution, occurred_at=NOW)
        except Exception as error:
            failures.append(error)
        connections.close_all()

    threads = [threading.Thread(target=run, args=(mine,)) for mine in executions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    coverages = list(UsageRecord.objects.values_list("coverage", flat=True))
    assert (coverages.count("trial"), coverages.count("unbilled")) == (10, 8)
