from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from customers.models import Customer, User
from customers.services.manage_keys import create_api_key
from provisioning.models import SignupRequest
from provisioning.services import prune_signups as module
from provisioning.services.prune_signups import prune_signups
from provisioning.services.request_signup import request_onboarding
from tests.conftest import ApiClient
from tests.customers.team import make_person
from tests.factories import MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=8)


def squat(**fields) -> User:
    user = UserFactory(date_joined=LONG_AGO, **fields)
    EmailAddress.objects.create(user=user, email=user.email)
    return user


class TestPruneSignups:
    def test_deletes_requests_unconfirmed_for_a_week(self):
        for number, at in enumerate((LONG_AGO, NOW - timedelta(days=6))):
            request_onboarding(name="Acme", email=f"p{number}@acme.test", at=at, address=None)
        assert prune_signups(at=NOW) == 1
        assert SignupRequest.objects.get().email == "p1@acme.test"

    def test_deletes_unconfirmed_users_of_earlier_releases(self):
        user = squat()
        member = MembershipFactory(user=user)
        assert prune_signups(at=NOW) == 1
        assert not User.objects.exists()
        member.customer.refresh_from_db()
        assert member.customer.closed_at == NOW

    def test_keeps_a_user_whose_key_was_used(self):
        member = MembershipFactory(user=squat())
        raw = create_api_key(customer=member.customer, name="CI").raw
        assert ApiClient(raw).get("/api/v1/entitlement").status_code == 200
        assert prune_signups(at=NOW) == 0
        assert Customer.objects.get().closed_at is None

    def test_keeps_all_other_users(self, time_machine):
        time_machine.move_to(LONG_AGO)
        make_person("alice@acme.test")
        UserFactory(date_joined=LONG_AGO)
        squat(is_staff=True)
        squat(last_login=NOW)
        assert prune_signups(at=NOW) == 0
        assert User.objects.count() == 4

    def test_deletes_a_bounded_batch(self, monkeypatch):
        monkeypatch.setattr(module, "BATCH", 2)
        for number in range(3):
            request_onboarding(name="A", email=f"p{number}@acme.test", at=LONG_AGO, address=None)
        assert [prune_signups(at=NOW) for _ in range(3)] == [2, 1, 0]
