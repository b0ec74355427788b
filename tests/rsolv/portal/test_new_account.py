import pytest
from django.utils import timezone

from customers.models import Customer
from customers.services.authenticate_key import authenticate_api_key
from provisioning.services.close_account import close_account
from tests.rsolv.portal.conftest import Browser

PATH = "/dashboard/new-account/"


@pytest.fixture
def closed(alice: Browser) -> Browser:
    """Alice after she has closed her account."""
    owner = alice.customer.memberships.get().user
    close_account(customer=alice.customer, by=owner, at=timezone.now())
    return alice


class TestStartAccount:
    def test_is_offered_where_there_is_none(self, closed) -> None:
        assert f'action="{PATH}"' in closed.get("/dashboard/").text

    def test_makes_an_account_of_its_own_for_the_same_login(self, closed) -> None:
        closed.post(PATH, {"name": "Acme anew"})
        made = Customer.objects.get(closed_at=None)
        owner = made.memberships.get()
        assert (made.name, made.email, owner.role) == ("Acme anew", owner.user.email, "owner")
        assert owner.user == closed.customer.memberships.get().user

    def test_shows_the_key_once(self, closed) -> None:
        page = closed.post(PATH, {"name": "Acme anew"}, follow=True).text
        raw = page[page.index("rsolv_") :][:49]
        assert authenticate_api_key(raw).customer_id == Customer.objects.get(closed_at=None).pk
        assert raw not in closed.get("/dashboard/").text

    def test_wants_a_name(self, closed) -> None:
        assert closed.post(PATH, {"name": " "}).status_code == 422
        assert not Customer.objects.filter(closed_at=None).exists()

    def test_twice_makes_one(self, closed) -> None:
        for _ in range(2):
            assert closed.post(PATH, {"name": "Acme anew"}).url == "/dashboard/"
        assert Customer.objects.filter(closed_at=None).count() == 1

    def test_changes_nothing_for_who_has_one(self, alice) -> None:
        alice.post(PATH, {"name": "Second"})
        assert Customer.objects.get() == alice.customer

    def test_is_bounded_as_signups_are(self, closed) -> None:
        for _ in range(3):
            closed.post(PATH, {"name": "Acme anew"})
            made = Customer.objects.get(closed_at=None)
            close_account(customer=made, by=made.memberships.get().user, at=timezone.now())
        assert closed.post(PATH, {"name": "Acme anew"}).status_code == 422
        assert not Customer.objects.filter(closed_at=None).exists()

    def test_a_stranger_logs_in_first(self, client, db) -> None:
        assert client.post(PATH, {"name": "Acme"}).url.startswith("/accounts/login/")
