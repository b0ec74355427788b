from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from billing.models import UsageClaim
from billing.selectors.entitlements import get_entitlement
from billing.services.metering.claim_fix import UsageLimitExceeded, claim_fix
from billing.services.metering.record_usage import record_usage
from customers.services.claim_namespace import NamespaceHeld
from customers.services.prove_namespace import prove_namespace
from tests.factories import BillingAccountFactory, CustomerFactory, ForgeAccountFactory, make_mitigation_of

NOW = timezone.now()


@pytest.fixture
def plan():
    return "trial"


@pytest.fixture(autouse=True)
def namespace(customer):
    return ForgeAccountFactory(customer=customer, namespace="acme")


def claim(customer, issue, *, at=NOW, namespace="acme"):
    return claim_fix(
        customer=customer, namespace=namespace, repository_name="shop", issue_number=issue, at=at
    )


def record(customer, claimed):
    execution = make_mitigation_of(customer, issue_number=claimed.issue_number)
    assert execution.repository == claimed.repository
    return record_usage(customer=customer, execution=execution, occurred_at=timezone.now())


class TestClaimFix:
    def test_reserves_the_fix_for_the_minutes_in_the_setting(self, customer, settings):
        settings.CLAIM_MINUTES = 5
        assert claim(customer, 1).expires_at == NOW + timedelta(minutes=5)

    def test_extends_the_claim_of_the_same_issue(self, customer):
        BillingAccountFactory(customer=customer, trial_fixes_limit=1)
        first = claim(customer, 1)
        again = claim(customer, 1, at=NOW + timedelta(minutes=10))
        assert (again.pk, again.expires_at) == (first.pk, first.expires_at + timedelta(minutes=10))

    def test_takes_a_slot_of_the_trial_from_others(self, customer):
        BillingAccountFactory(customer=customer, trial_fixes_limit=1)
        claim(customer, 1)
        with pytest.raises(UsageLimitExceeded) as rejection:
            claim(customer, 2)
        assert rejection.value.reason == "trial_exhausted"

    def test_frees_its_slot_when_it_expires(self, customer):
        """Includes claims of failed fixes, which only expire."""
        BillingAccountFactory(customer=customer, trial_fixes_limit=1)
        claim(customer, 1)
        later = NOW + timedelta(minutes=61)
        assert claim(customer, 2, at=later).expires_at > later
        with pytest.raises(UsageLimitExceeded):
            claim(customer, 1, at=later)

    def test_is_used_by_the_fix(self, customer):
        BillingAccountFactory(customer=customer, trial_fixes_limit=2)
        usage = record(customer, claim(customer, 1))
        assert UsageClaim.objects.get().used_at == usage.occurred_at
        claim(customer, 2)
        with pytest.raises(UsageLimitExceeded):
            claim(customer, 3)

    def test_of_an_issue_in_the_ledger_takes_no_slot(self, customer):
        BillingAccountFactory(customer=customer, trial_fixes_limit=1)
        record(customer, claim(customer, 1))
        assert claim(customer, 1, at=NOW + timedelta(days=1)).used_at is not None

    def test_rejects_a_namespace_proven_by_another_customer(self, customer):
        prove_namespace(customer=customer, namespace="acme", at=NOW)
        with pytest.raises(NamespaceHeld):
            claim(CustomerFactory(), 1)

    @pytest.mark.parametrize("status", ["unpaid", "canceled"])
    def test_rejects_a_customer_without_an_active_plan(self, customer, status):
        BillingAccountFactory(customer=customer, plan="payg", status=status)
        with pytest.raises(UsageLimitExceeded) as rejection:
            claim(customer, 1)
        assert rejection.value.fields == {"blockedReason": f"subscription_{status}"}

    @pytest.mark.parametrize("status", ["unpaid", "canceled"])
    def test_does_not_renew_a_claim_after_the_plan_ends(self, customer, status):
        account = BillingAccountFactory(customer=customer, plan="payg", status="active")
        expires_at = claim(customer, 1).expires_at
        account.status = status
        account.save()
        with pytest.raises(UsageLimitExceeded):
            claim(customer, 1, at=NOW + timedelta(minutes=10))
        assert UsageClaim.objects.get().expires_at == expires_at


class TestSpendCap:
    @pytest.mark.parametrize(("cap", "is_granted"), [(1500, True), (1499, False)])
    def test_does_not_count_the_slot_of_a_renewed_claim(self, customer, cap, is_granted):
        account = BillingAccountFactory(customer=customer, plan="payg", status="active")
        claim(customer, 1)
        account.spend_cap_cents = cap
        account.save()
        with nullcontext() if is_granted else pytest.raises(UsageLimitExceeded):
            claim(customer, 1)

    def test_rejects_the_fix_that_would_exceed_it(self, customer):
        BillingAccountFactory(customer=customer, plan="payg", status="active", spend_cap_cents=3000)
        record(customer, claim(customer, 1))
        claim(customer, 2)
        with pytest.raises(UsageLimitExceeded) as rejection:
            claim(customer, 3)
        assert rejection.value.reason == "spend_cap_reached"

    def test_allows_a_fix_that_adds_no_cost(self, customer):
        BillingAccountFactory(customer=customer, plan="teams", status="active", spend_cap_cents=0)
        assert claim(customer, 1).pk

    def test_never_drops_a_fix_that_was_not_claimed(self, customer):
        BillingAccountFactory(customer=customer, plan="payg", status="active", spend_cap_cents=0)
        execution = make_mitigation_of(customer)
        usage = record_usage(customer=customer, execution=execution, occurred_at=NOW)
        assert usage.coverage == "metered"

    def test_shows_in_the_entitlement(self, customer):
        account = BillingAccountFactory(customer=customer, plan="payg", status="active", spend_cap_cents=1499)
        found = get_entitlement(customer=customer)
        assert (found.blocked_reason, found.can_use_service) == ("spend_cap_reached", False)
        account.spend_cap_cents = 1500
        account.save()
        assert get_entitlement(customer=customer).can_use_service


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
class TestConcurrentClaims:
    """As many parallel claims as a process has connections, each for a different issue."""

    @pytest.mark.parametrize(
        "account",
        [{}, {"plan": "payg", "status": "active", "spend_cap_cents": 15_000}],
        ids=["of the trial", "under the cap"],
    )
    def test_on_ten_slots_grant_exactly_ten(self, account):
        customer = CustomerFactory()
        BillingAccountFactory(customer=customer, **account)
        with ThreadPoolExecutor(settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"] - 1) as pool:
            granted = list(pool.map(lambda issue: try_to_claim(customer, issue), range(1, 201)))
        assert (len(granted), sum(granted), UsageClaim.objects.count()) == (200, 10, 10)


def try_to_claim(customer, issue):
    try:
        claim(customer, issue, at=timezone.now())
    except UsageLimitExceeded:
        return False
    finally:
        connection.close()
    return True
