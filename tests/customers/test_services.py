from datetime import timedelta

import pytest
from django.utils import timezone

from customers import keys
from customers.models import ApiKey
from customers.services.create_customer import EmailTaken, create_customer
from customers.services.manage_keys import create_api_key, revoke_api_key
from customers.services.manage_members import add_member
from tests.factories import CustomerFactory, UserFactory


@pytest.mark.django_db
class TestCreateCustomer:
    def test_stores_the_address_in_lower_case(self):
        assert create_customer(name=" Acme ", email="Pay@Acme.Test").email == "pay@acme.test"

    def test_rejects_a_used_address_regardless_of_case(self):
        create_customer(name="Acme", email="pay@acme.test")
        with pytest.raises(EmailTaken):
            create_customer(name="Other", email="PAY@acme.test")


@pytest.mark.django_db
class TestAddMember:
    def test_updates_the_role_the_second_time(self):
        customer, user = CustomerFactory(), UserFactory()
        add_member(customer=customer, user=user, role="member")
        add_member(customer=customer, user=user, role="admin")
        assert [each.role for each in customer.memberships.all()] == ["admin"]


class TestKeys:
    def test_are_32_random_bytes_in_base64url(self):
        raw = keys.generate_key()
        assert len(raw) == len("rsolv_") + 43
        assert keys.is_well_formed(raw)
        assert keys.generate_key() != raw

    def test_second_revocation_keeps_the_first_time(self, customer):
        api_key = create_api_key(customer=customer, name="x").api_key
        now = timezone.now()
        revoke_api_key(api_key=api_key, at=now)
        revoke_api_key(api_key=api_key, at=now + timedelta(hours=1))
        assert api_key.revoked_at == now

    def test_active_keys_are_neither_revoked_nor_expired(self, customer, time_machine):
        ends_at = timezone.now() + timedelta(hours=1)
        good, revoked = (create_api_key(customer=customer, name="x").api_key for _ in range(2))
        create_api_key(customer=customer, name="x", expires_at=ends_at)
        revoke_api_key(api_key=revoked, at=timezone.now())
        time_machine.move_to(ends_at)
        assert list(ApiKey.objects.active()) == [good]
