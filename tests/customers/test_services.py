from datetime import timedelta

import pytest
from django.utils import timezone

from customers import keys, services
from customers.models import ApiKey
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
