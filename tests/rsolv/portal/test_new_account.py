import pytest
from django.utils import timezone

from customers.models import Customer
from customers.services.authenticate_key import authenticate_api_key
from provisioning.services.close_account import close_account
from tests.tenants import Browser

PATH = "/dashboard/new-account/"


@pytest.fixture
def closed(alice: Browser) -> Browser:
    """Alice's browser after she closed her account."""
    owner = alice.customer.memberships.get().user
    close_account(customer=alice.customer, by=owner, at=timezone.now())
    return alice


class TestStartAccount:
    def test_is_offered_without_an_account(self, closed) -> None:
        assert f'action="{PATH}"' in closed.get("/dashboard/").text

    def test_creates_a_new_account_for_the_same_user(self, closed) -> None:
        closed.post(PATH, {"name": "Acme again"})
        made = Customer.objects.get(closed_at=None)
        owner = made.memberships.get()
        assert (made.name, made.email, owner.role) == ("Acme again", owner.user.email, "owner")
        assert owner.user == closed.customer.memberships.get().user

    def test_shows_the_key_once(self, closed) -> None:
        page = closed.post(PATH, {"name": "Acme again"}, follow=True).text
        raw = page[page.index("rsolv_") :][:49]
        assert authenticate_api_key(raw).customer_id == Customer.objects.get(closed_at=None).pk
        assert raw not in closed.get("/dashboard/").text

    def test_requires_a_name(self, closed) -> None:
        assert closed.post(PATH, {"name": " "}).status_code == 422
        assert not Customer.objects.filter(closed_at=None).exists()

    def test_twice_creates_one(self, closed) -> None:
        for _ in range(2):
            assert closed.post(PATH, {"name": "Acme again"}).url == "/dashboard/"
        assert Customer.objects.filter(closed_at=None).count() == 1

    def test_changes_nothing_if_an_account_exists(self, alice) -> None:
        alice.post(PATH, {"name": "Second"})
        assert Customer.objects.get() == alice.customer

    def test_is_limited_like_signups(self, closed) -> None:
        for _ in range(3):
            closed.post(PATH, {"name": "Acme again"})
            made = Customer.objects.get(closed_at=None)
            close_account(customer=made, by=made.memberships.get().user, at=timezone.now())
        assert closed.post(PATH, {"name": "Acme again"}).status_code == 422
        assert not Customer.objects.filter(closed_at=None).exists()

    def test_redirects_anonymous_users_to_login(self, client, db) -> None:
        assert client.post(PATH, {"name": "Acme"}).url.startswith("/accounts/login/")
