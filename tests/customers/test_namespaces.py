import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from customers.models import AuditLogEntry, Customer, ForgeAccount
from customers.services.claim_namespace import NamespaceHeld, TooManyNamespaces, claim_namespace
from customers.services.manage_keys import create_api_key
from customers.services.namespace_claims import KeyOrigin
from customers.services.prove_namespace import CustomerClosed, prove_namespace
from customers.services.release_namespace import release_namespace, release_namespaces
from tests.factories import BillingAccountFactory, CustomerFactory, ForgeAccountFactory, UserFactory

NOW = timezone.now()
Action = AuditLogEntry.Action


def claim(customer, namespace="acme", **options):
    return claim_namespace(customer=customer, namespace=namespace, **options)


def prove(customer, namespace="acme"):
    return prove_namespace(customer=customer, namespace=namespace, at=NOW)


def release(namespace="acme", **options):
    return release_namespace(namespace=namespace, at=NOW, **options)


def list_audit_log(customer):
    return [(each.action, each.subject) for each in customer.audit_log_entries.order_by("at", "pk")]


class TestClaimNamespace:
    def test_is_provisional_on_first_use(self, customer):
        assert claim(customer, "Acme").customer == customer
        assert not ForgeAccount.objects.get().is_proven

    def test_ignores_case(self, customer):
        assert claim(customer, "aCME") == claim(customer, "Acme")

    def test_allows_several_provisional_claims(self, customer, stranger):
        assert claim(customer).pk != claim(stranger, "ACME").pk
        assert ForgeAccount.objects.filter(released_at=None).count() == 2

    def test_is_rejected_while_another_customer_has_proven_it(self, customer, stranger):
        prove(customer)
        with pytest.raises(NamespaceHeld):
            claim(stranger, "ACME")

    @pytest.mark.parametrize(("account", "limit"), [({}, 2), ({"plan": "payg", "status": "active"}, 3)])
    def test_is_limited_per_customer(self, stranger, settings, account, limit):
        settings.NAMESPACE_CLAIMS_TRIAL, settings.NAMESPACE_CLAIMS_SUBSCRIBED = 2, 3
        BillingAccountFactory(customer=stranger, **account)
        for name in ("google", "microsoft", "github")[:limit]:
            claim(stranger, name)
        with pytest.raises(TooManyNamespaces, match=f"has {limit} GitHub organizations"):
            claim(stranger, "one-more")

    def test_proven_claim_does_not_count(self, customer, settings):
        settings.NAMESPACE_CLAIMS_TRIAL = 1
        prove(customer)
        assert claim(customer, "other")

    def test_released_claim_does_not_count(self, stranger, settings):
        settings.NAMESPACE_CLAIMS_TRIAL = 1
        claim(stranger, "google")
        release("google", customer=stranger)
        assert claim(stranger, "microsoft")

    def test_restores_the_released_claim(self, customer):
        before = claim(customer)
        release(customer=customer)
        assert claim(customer) == before

    def test_restored_claim_counts(self, stranger, settings):
        settings.NAMESPACE_CLAIMS_TRIAL = 1
        claim(stranger, "google")
        release("google", customer=stranger)
        claim(stranger, "microsoft")
        with pytest.raises(TooManyNamespaces):
            claim(stranger, "google")

    def test_restored_claim_is_not_proven(self, customer):
        prove(customer)
        release(customer=customer)
        assert not claim(customer).is_proven

    def test_is_logged_once_with_the_key(self, customer):
        key = create_api_key(customer=customer, name="CI").api_key
        origin = KeyOrigin(key_id=key.pk, address="192.0.2.1", device="curl")
        for _ in range(2):
            claim(customer, origin=origin)
        (entry,) = customer.audit_log_entries.filter(action=Action.NAMESPACE_CLAIMED)
        assert entry.subject == f"acme (API key {key.prefix}…)"
        assert (entry.address, entry.device) == ("192.0.2.1", "curl")


class TestProveNamespace:
    def test_releases_the_claims_of_others(self, customer, stranger):
        squatted = claim(stranger)
        prove(customer)
        squatted.refresh_from_db()
        assert squatted.released_at == NOW
        with pytest.raises(NamespaceHeld):
            claim(stranger)

    def test_is_logged_for_all_affected_customers(self, customer, stranger):
        claim(stranger)
        prove(customer)
        assert (Action.NAMESPACE_PROVEN, "acme") in list_audit_log(customer)
        released = (Action.NAMESPACE_RELEASED, "acme: another account verified its ownership")
        assert released in list_audit_log(stranger)

    def test_is_idempotent(self, customer):
        assert prove(customer).proven_at == prove(customer).proven_at
        assert [action for action, _ in list_audit_log(customer)] == [Action.NAMESPACE_PROVEN]

    def test_is_rejected_if_another_customer_has_proven_it(self, customer, stranger):
        prove(customer)
        with pytest.raises(NamespaceHeld):
            prove(stranger, "ACME")

    def test_is_not_limited(self, customer, settings):
        settings.NAMESPACE_CLAIMS_TRIAL = 1
        claim(customer, "other")
        assert prove(customer).is_proven

    def test_is_rejected_for_a_closed_account(self, db):
        with pytest.raises(CustomerClosed):
            prove(CustomerFactory(closed_at=NOW))

    def test_keeps_claims_on_other_namespaces(self, customer, stranger):
        other = claim(stranger, "other")
        prove(customer)
        other.refresh_from_db()
        assert other.is_held


class TestReleaseNamespace:
    def test_allows_others_to_prove_it(self, customer, stranger):
        prove(customer)
        release()
        assert prove(stranger).is_proven

    def test_releases_all_claims_without_a_customer(self, customer, stranger):
        claim(customer), claim(stranger)
        assert (release(), release()) == (2, 0)

    def test_is_logged_with_the_staff_user(self, customer):
        staff = UserFactory(is_staff=True)
        prove(customer)
        release(customer=customer, by=staff)
        entry = customer.audit_log_entries.get(action=Action.NAMESPACE_RELEASED)
        assert (entry.actor, entry.actor_name) == (staff, "RSOLV staff")


class TestConstraints:
    def test_allow_one_proven_claim_per_namespace(self, customer, stranger):
        ForgeAccountFactory(customer=customer, namespace="acme", proven_at=NOW)
        with pytest.raises(IntegrityError), transaction.atomic():
            ForgeAccountFactory(customer=stranger, namespace="Acme", proven_at=NOW)

    def test_allow_one_valid_claim_per_customer_and_namespace(self, customer):
        ForgeAccountFactory(customer=customer, namespace="acme")
        with pytest.raises((IntegrityError, ValidationError)), transaction.atomic():
            ForgeAccountFactory(customer=customer, namespace="Acme")


def race(*calls):
    """Run all calls concurrently, each with its own connection; return the results or exceptions."""
    start, results = threading.Barrier(len(calls)), []

    def run(call):
        start.wait()
        try:
            results.append(call())
        except Exception as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_only_one_of_several_customers_proves_it(self):
        customers = [CustomerFactory() for _ in range(6)]
        results = race(*(lambda each=each: prove(each) for each in customers))
        rejected = [each for each in results if isinstance(each, NamespaceHeld)]
        assert (len(rejected), len(results)) == (5, 6)
        assert ForgeAccount.objects.get(released_at=None).is_proven

    def test_no_other_claim_survives_a_concurrent_proof(self):
        for round_ in range(5):
            owner, *others = (CustomerFactory() for _ in range(6))
            name = f"acme-{round_}"
            calls = [lambda each=each, name=name: claim(each, name) for each in others]
            results = race(*calls, lambda owner=owner, name=name: prove(owner, name))
            strange = [e for e in results if isinstance(e, Exception) and type(e) is not NamespaceHeld]
            assert strange == []
            assert ForgeAccount.objects.get(namespace=name, released_at=None).customer == owner

    def test_concurrent_claims_respect_the_limit(self, settings):
        settings.NAMESPACE_CLAIMS_TRIAL = 3
        customer = CustomerFactory()
        race(*(lambda name=name: claim(customer, name) for name in "abcdefgh"))
        assert customer.forge_accounts.filter(released_at=None).count() == 3

    def test_proofs_claims_releases_and_closings_do_not_deadlock(self):
        for _ in range(5):
            one, two = CustomerFactory(), CustomerFactory()
            results = race(
                lambda one=one: prove(one, "x"),
                lambda two=two: claim(two, "x"),
                lambda: release("x"),
                lambda two=two: close(two),
                lambda one=one: claim(one, "y"),
                lambda two=two: prove(two, "y"),
            )
            allowed = (NamespaceHeld, CustomerClosed)
            assert [e for e in results if isinstance(e, Exception) and not isinstance(e, allowed)] == []
            release("x"), release("y")


@transaction.atomic
def close(customer):
    """Change what `close_account` of provisioning changes here, without its calls to Stripe."""
    Customer.objects.filter(pk=customer.pk).update(closed_at=NOW)
    release_namespaces(customer=customer, at=NOW)
