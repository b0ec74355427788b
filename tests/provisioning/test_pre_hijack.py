"""Pre-hijacking: Mallory signs up with Alice's address before Alice does, in every possible way."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.test import Client
from django.utils import timezone

from customers.models import ApiKey, Customer, Membership, User
from customers.services.authenticate_key import authenticate_api_key
from customers.services.invite_member import invite_member
from customers.services.manage_keys import create_api_key
from provisioning.models import SignupRequest
from tests.customers.team import make_person, read_invitation
from tests.factories import MembershipFactory, UserFactory
from tests.signup import FORM, JOIN, deliver_mails, enter_code, read_onboarding_link, sign_up

pytestmark = pytest.mark.django_db
ALICE = FORM["email"]
EVIL = {"name": "Evil", "email": ALICE, "password1": "mallorys-own-phrase"}
ONBOARD = "/api/v1/customers/onboard"


def onboard(email: str = ALICE) -> Any:
    return Client().post(ONBOARD, {"name": "Evil", "email": email}, content_type="application/json")


def hijack() -> tuple[str, Client]:
    """Request an account with Alice's address by API and by form; return Mallory's key and browser."""
    raw, browser = onboard().json()["api_key"], Client()
    browser.post("/accounts/signup/", EVIL)
    assert authenticate_api_key(raw) is None
    return raw, browser


def assert_mallory_has_no_access(raw: str, browser: Client) -> None:
    """Mallory has no key, session or password, and no account of hers is open."""
    assert authenticate_api_key(raw) is None
    assert browser.get("/dashboard/").status_code == 302
    assert not User.objects.get(email=ALICE).check_password(EVIL["password1"])
    assert not Customer.objects.filter(name="Evil", closed_at=None).exists()
    assert ApiKey.objects.active().filter(name="Mallory's").count() == 0


def squat() -> User:
    """Create an unconfirmed user as in earlier releases, with a password, a GitHub login and a key."""
    user = UserFactory(email=ALICE)
    user.set_password(EVIL["password1"])
    user.save()
    EmailAddress.objects.create(user=user, email=ALICE, primary=True)
    SocialAccount.objects.create(user=user, provider="github", uid="666")
    member = MembershipFactory(user=user, customer__name="Evil", customer__email=ALICE)
    create_api_key(customer=member.customer, name="Mallory's", created_by=user)
    return user


def test_mallory_cannot_use_up_the_signups_of_alice() -> None:
    local, _, domain = ALICE.partition("@")
    for number in range(5):
        evil = EVIL | {"email": f"{local}+{number}@{domain}"}
        Client().post("/accounts/signup/", evil, REMOTE_ADDR="203.0.113.9")
    client, _ = sign_up(Client(REMOTE_ADDR="198.51.100.3"))
    assert client.get("/dashboard/").status_code == 200


class TestAliceSignsUp:
    def test_with_the_form(self) -> None:
        raw, browser = hijack()
        client, page = sign_up()
        assert page.redirect_chain[-1][0] == "/dashboard/"
        assert_mallory_has_no_access(raw, browser)
        assert not SignupRequest.objects.exists()

    def test_with_the_form_before_mallory_enters_a_code(self) -> None:
        raw, browser = hijack()
        sign_up()
        enter_code(browser)
        assert_mallory_has_no_access(raw, browser)

    def test_with_an_invitation(self) -> None:
        raw, browser = hijack()
        by = MembershipFactory()
        invite_member(
            customer=by.customer, email=ALICE, role="member", by=by, at=timezone.now(), address=None
        )
        Client().post(read_invitation(), JOIN)
        assert Membership.objects.get(user__email=ALICE).customer == by.customer
        assert_mallory_has_no_access(raw, browser)

    def test_with_a_password_reset_without_a_user(self) -> None:
        hijack()
        Client().post("/accounts/password/reset/", {"email": ALICE})
        deliver_mails()
        assert "no RSOLV account" in mail.outbox[-1].subject
        assert not User.objects.exists()

    def test_with_the_link_and_a_new_key(self) -> None:
        raw = onboard().json()["api_key"]
        client = Client()
        page = client.post(read_onboarding_link(), JOIN | {"answer": "new_key"}, follow=True)
        assert page.redirect_chain[-1][0] == "/dashboard/"
        assert authenticate_api_key(raw) is None
        assert ApiKey.objects.get().prefix in page.text

    def test_with_one_of_several_links(self) -> None:
        first = onboard().json()["api_key"]
        second = onboard().json()["api_key"]
        Client().post(read_onboarding_link(), JOIN | {"answer": "activate"})
        assert authenticate_api_key(first) is None
        assert authenticate_api_key(second) is not None
        assert Customer.objects.count() == 1


class TestUnconfirmedUserOfEarlierReleases:
    def test_is_deleted_when_alice_signs_up(self) -> None:
        user = squat()
        _, page = sign_up()
        assert page.redirect_chain[-1][0] == "/dashboard/"
        assert not User.objects.filter(pk=user.pk).exists()
        assert not SocialAccount.objects.exists()
        assert_mallory_has_no_access("rsolv_" + "x" * 43, Client())

    def test_is_deleted_when_alice_accepts_an_invitation(self) -> None:
        user, by = squat(), MembershipFactory()
        invite_member(
            customer=by.customer, email=ALICE, role="member", by=by, at=timezone.now(), address=None
        )
        Client().post(read_invitation(), JOIN)
        assert Membership.objects.get(user__email=ALICE).customer == by.customer
        assert not User.objects.filter(pk=user.pk).exists()
        assert_mallory_has_no_access("rsolv_" + "x" * 43, Client())

    def test_belongs_to_alice_after_a_password_reset(self) -> None:
        user = squat()
        client = Client()
        client.post("/accounts/password/reset/", {"email": ALICE})
        deliver_mails()
        link = next(word for word in mail.outbox[-1].body.split() if "/reset/key/" in word)
        page = client.get(link, follow=True)
        new = {"password1": "alices-very-own-phrase", "password2": "alices-very-own-phrase"}
        client.post(page.redirect_chain[-1][0], new)
        user.refresh_from_db()
        assert user.check_password("alices-very-own-phrase")
        assert EmailAddress.objects.get(user=user).verified
        assert not SocialAccount.objects.exists()
        assert_mallory_has_no_access("rsolv_" + "x" * 43, Client())

    def test_confirmed_user_keeps_everything_after_a_reset(self) -> None:
        member = MembershipFactory(user=make_person(ALICE))
        SocialAccount.objects.create(user=member.user, provider="github", uid="1")
        raw = create_api_key(customer=member.customer, name="CI").raw
        client = Client()
        client.post("/accounts/password/reset/", {"email": ALICE})
        deliver_mails()
        link = next(word for word in mail.outbox[-1].body.split() if "/reset/key/" in word)
        page = client.get(link, follow=True)
        new = {"password1": "alices-very-own-phrase", "password2": "alices-very-own-phrase"}
        client.post(page.redirect_chain[-1][0], new)
        assert authenticate_api_key(raw) is not None
        assert SocialAccount.objects.exists()

    def test_account_shared_with_others_stays_open(self) -> None:
        user = squat()
        customer = Customer.objects.get()
        MembershipFactory(customer=customer)
        Customer.objects.update(email="pay@shared.test")
        sign_up()
        customer.refresh_from_db()
        assert customer.closed_at is None
        assert not User.objects.filter(pk=user.pk).exists()

    def test_unconfirmed_secondary_address_does_not_block_alice(self) -> None:
        mallory = make_person("mallory@evil.test")
        EmailAddress.objects.create(user=mallory, email=ALICE)
        _, page = sign_up()
        assert page.redirect_chain[-1][0] == "/dashboard/"
        assert list(EmailAddress.objects.filter(user=mallory).values_list("email", flat=True)) == [
            "mallory@evil.test"
        ]


class TestTrojanAccount:
    def test_is_not_created_for_an_existing_user(self) -> None:
        person = make_person(ALICE)
        assert onboard().status_code == 422
        assert not Membership.objects.filter(user=person).exists()
        assert not SignupRequest.objects.exists()

    def test_earlier_request_does_not_block_invitations(self) -> None:
        onboard()
        person, by = make_person(ALICE), MembershipFactory()
        invite_member(
            customer=by.customer, email=ALICE, role="member", by=by, at=timezone.now(), address=None
        )
        client = Client()
        client.force_login(person)
        client.post(read_invitation())
        assert Membership.objects.get(user=person).customer == by.customer

    def test_does_not_replace_an_existing_account(self) -> None:
        raw = onboard().json()["api_key"]
        path = read_onboarding_link()
        member = MembershipFactory(user=make_person(ALICE))
        client = Client()
        client.force_login(member.user)
        page = client.post(path, {"answer": "activate"})
        assert "You are already a member of an account" in page.text
        assert authenticate_api_key(raw) is None
        assert Membership.objects.get(user=member.user) == member

    def test_is_not_created_by_the_command_for_an_existing_user(self) -> None:
        from provisioning.services.provision_customer import SignupRejected, provision_customer

        person = make_person(ALICE)
        with pytest.raises(SignupRejected):
            provision_customer(name="Evil", email=ALICE)
        assert not Membership.objects.filter(user=person).exists()
        assert not Customer.objects.exists()
