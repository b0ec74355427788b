import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from customers import keys, services
from customers.models import ApiKey, ForgeAccount
from tests.factories import CustomerFactory, UserFactory


@pytest.mark.django_db
class TestCreateCustomer:
    def test_keeps_the_address_in_lower_case(self):
        assert services.create_customer(name=" Acme ", email="Pay@Acme.Test").email == "pay@acme.test"

    def test_an_address_is_taken_whatever_its_case(self):
        services.create_customer(name="Acme", email="pay@acme.test")
        with pytest.raises(services.EmailTaken):
            services.create_customer(name="Other", email="PAY@acme.test")


@pytest.mark.django_db
class TestMembers:
    def test_adding_twice_sets_the_role(self):
        customer, user = CustomerFactory(), UserFactory()
        services.add_member(customer=customer, user=user, role="member")
        services.add_member(customer=customer, user=user, role="admin")
        assert [each.role for each in customer.memberships.all()] == ["admin"]


class TestKeys:
    def test_are_32_random_bytes_in_base64url(self):
        raw = keys.generate_key()
        assert len(raw) == len("rsolv_") + 43
        assert keys.is_well_formed(raw)
        assert keys.generate_key() != raw

    def test_a_revocation_keeps_its_first_instant(self, db):
        api_key = services.create_api_key(customer=CustomerFactory(), name="x").api_key
        now = timezone.now()
        services.revoke_api_key(api_key=api_key, at=now)
        services.revoke_api_key(api_key=api_key, at=now + timedelta(hours=1))
        assert api_key.revoked_at == now

    def test_active_keys_are_neither_revoked_nor_expired(self, db):
        customer, now = CustomerFactory(), timezone.now()
        good, expired, revoked = (
            services.create_api_key(customer=customer, name="x").api_key for _ in range(3)
        )
        ApiKey.objects.filter(pk=expired.pk).update(expires_at=now - timedelta(seconds=1))
        services.revoke_api_key(api_key=revoked, at=now)
        assert list(ApiKey.objects.active()) == [good]


@pytest.mark.django_db
class TestClaimNamespace:
    def test_first_use_claims_it(self):
        customer = CustomerFactory()
        assert services.claim_namespace(customer=customer, namespace="Acme").customer == customer

    def test_its_holder_may_write_it_in_any_case(self):
        customer = CustomerFactory()
        first = services.claim_namespace(customer=customer, namespace="Acme")
        assert services.claim_namespace(customer=customer, namespace="aCME") == first

    def test_it_is_held_against_others(self):
        services.claim_namespace(customer=CustomerFactory(), namespace="acme")
        with pytest.raises(services.NamespaceHeld):
            services.claim_namespace(customer=CustomerFactory(), namespace="ACME")

    def test_one_that_was_released_is_free_and_keeps_what_was_stored(self):
        before = services.claim_namespace(customer=CustomerFactory(), namespace="acme")
        services.release_namespaces(customer=before.customer, at=timezone.now())
        after = services.claim_namespace(customer=CustomerFactory(), namespace="Acme")
        assert after.pk != before.pk
        assert {each.namespace for each in ForgeAccount.objects.all()} == {"acme", "Acme"}

    def test_who_released_it_takes_up_the_same_one(self):
        customer = CustomerFactory()
        before = services.claim_namespace(customer=customer, namespace="acme")
        services.release_namespaces(customer=customer, at=timezone.now())
        assert services.claim_namespace(customer=customer, namespace="acme") == before
        with pytest.raises(services.NamespaceHeld):
            services.claim_namespace(customer=CustomerFactory(), namespace="acme")


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_customers_that_race_for_a_namespace_one_holds_it():
    customers = [CustomerFactory() for _ in range(8)]
    start, outcomes = threading.Barrier(len(customers)), []

    def claim(customer):
        start.wait()
        try:
            services.claim_namespace(customer=customer, namespace="acme")
            outcomes.append("held")
        except services.NamespaceHeld:
            outcomes.append("refused")
        connections.close_all()

    threads = [threading.Thread(target=claim, args=(customer,)) for customer in customers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["held"] + ["refused"] * 7
    assert ForgeAccount.objects.count() == 1
