"""Mallory signs up with Ann's address before Ann does, in every way; Ann then comes, in every way."""

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
from tests.factories import CustomerFactory, MembershipFactory, UserFactory
from tests.signup import FORM, JOIN, deliver_mails, enter_code, read_onboarding_link, sign_up

pytestmark = pytest.mark.django_db
ANN = FORM["email"]
EVIL = {"name": "Evil", "email": ANN, "password1": "mallorys-own-phrase"}
ONBOARD = "/api/v1/customers/onboard"


def onboard(email: str = ANN) -> Any:
    return Client().post(ONBOARD, {"name": "Evil", "email": email}, content_type="application/json")


def hijack() -> tuple[str, Client]:
    """Mallory's key and browser: an account asked for by the API and one by the form."""
    raw, browser = onboard().json()["api_key"], Client()
    browser.post("/accounts/signup/", EVIL)
    assert authenticate_api_key(raw) is None
    return raw, browser


def expect_nothing_of_mallorys(raw: str, browser: Client) -> None:
    """No key, no session, no password, no company name, and no request that could become one."""
    assert authenticate_api_key(raw) is None
    assert browser.get("/dashboard/").status_code == 302
    assert not User.objects.get(email=ANN).check_password(EVIL["password1"])
    assert not Customer.objects.filter(name="Evil", closed_at=None).exists()
    assert ApiKey.objects.active().filter(name="Mallory's").count() == 0


def squat() -> User:
    """A login as earlier releases made it: never confirmed, with a password, a GitHub login and a key."""
    user = UserFactory(email=ANN)
    user.set_password(EVIL["password1"])
    user.save()
    EmailAddress.objects.create(user=user, email=ANN, primary=True)
    SocialAccount.objects.create(user=user, provider="github", uid="666")
    member = MembershipFactory(user=user, customer__name="Evil", customer__email=ANN)
    create_api_key(customer=member.customer, name="Mallory's", created_by=user)
    return user


def test_mallory_does_not_use_up_anns_signups() -> None:
    local, _, domain = ANN.partition("@")
    for number in range(5):
        evil = EVIL | {"email": f"{local}+{number}@{domain}"}
        Client().post("/accounts/signup/", evil, REMOTE_ADDR="203.0.113.9")
    client, _ = sign_up(Client(REMOTE_ADDR="198.51.100.3"))
    assert client.get("/dashboard/").status_code == 200


class TestAnnComes:
    def test_by_the_form(self) -> None:
        raw, browser = hijack()
        client, page = sign_up()
        assert page.redirect_chain[-1][0] == "/dashboard/"
        expect_nothing_of_mallorys(raw, browser)
        assert not SignupRequest.objects.exists()

    def test_by_the_form_and_mallory_types_codes_after_her(self) -> None:
        raw, browser = hijack()
        sign_up()
        enter_code(browser)
        expect_nothing_of_mallorys(raw, browser)

    def test_by_an_invitation(self) -> None:
        raw, browser = hijack()
        by = MembershipFactory()
        invite_member(customer=by.customer, email=ANN, role="member", by=by, at=timezone.now(), address=None)
        Client().post(read_invitation(), JOIN)
        assert Membership.objects.get(user__email=ANN).customer == by.customer
        expect_nothing_of_mallorys(raw, browser)

    def test_by_a_reset_where_there_is_no_login(self) -> None:
        hijack()
        Client().post("/accounts/password/reset/", {"email": ANN})
        deliver_mails()
        assert "no RSOLV account" in mail.outbox[-1].subject
        assert not User.objects.exists()

    def test_by_the_link_and_takes_a_key_of_her_own(self) -> None:
        raw = onboard().json()["api_key"]
        client = Client()
        page = client.post(read_onboarding_link(), JOIN | {"answer": "new_key"}, follow=True)
        assert page.redirect_chain[-1][0] == "/dashboard/"
        assert authenticate_api_key(raw) is None
        assert ApiKey.objects.get().prefix in page.text

    def test_by_one_link_of_several(self) -> None:
        first = onboard().json()["api_key"]
        second = onboard().json()["api_key"]
        Client().post(read_onboarding_link(), JOIN | {"answer": "activate"})
        assert authenticate_api_key(first) is None
        assert authenticate_api_key(second) is not None
        assert Customer.objects.count() == 1


class TestAnUnconfirmedLoginOfEarlier:
    def test_ends_when_she_signs_up(self) -> None:
        user = squat()
        _, page = sign_up()
        assert page.redirect_chain[-1][0] == "/dashboard/"
        assert not User.objects.filter(pk=user.pk).exists()
        assert not SocialAccount.objects.exists()
        expect_nothing_of_mallorys("rsolv_" + "x" * 43, Client())

    def test_ends_when_she_takes_an_invitation(self) -> None:
        user, by = squat(), MembershipFactory()
        invite_member(customer=by.customer, email=ANN, role="member", by=by, at=timezone.now(), address=None)
        Client().post(read_invitation(), JOIN)
        assert Membership.objects.get(user__email=ANN).customer == by.customer
        assert not User.objects.filter(pk=user.pk).exists()
        expect_nothing_of_mallorys("rsolv_" + "x" * 43, Client())

    def test_is_hers_alone_once_she_resets_its_password(self) -> None:
        user = squat()
        client = Client()
        client.post("/accounts/password/reset/", {"email": ANN})
        deliver_mails()
        link = next(word for word in mail.outbox[-1].body.split() if "/reset/key/" in word)
        page = client.get(link, follow=True)
        new = {"password1": "anns-very-own-phrase", "password2": "anns-very-own-phrase"}
        client.post(page.redirect_chain[-1][0], new)
        user.refresh_from_db()
        assert user.check_password("anns-very-own-phrase")
        assert EmailAddress.objects.get(user=user).verified
        assert not SocialAccount.objects.exists()
        expect_nothing_of_mallorys("rsolv_" + "x" * 43, Client())

    def test_that_is_confirmed_keeps_everything_at_a_reset(self) -> None:
        member = MembershipFactory(user=make_person(ANN))
        SocialAccount.objects.create(user=member.user, provider="github", uid="1")
        raw = create_api_key(customer=member.customer, name="CI").raw
        client = Client()
        client.post("/accounts/password/reset/", {"email": ANN})
        deliver_mails()
        link = next(word for word in mail.outbox[-1].body.split() if "/reset/key/" in word)
        page = client.get(link, follow=True)
        new = {"password1": "anns-very-own-phrase", "password2": "anns-very-own-phrase"}
        client.post(page.redirect_chain[-1][0], new)
        assert authenticate_api_key(raw) is not None
        assert SocialAccount.objects.exists()

    def test_shared_with_others_leaves_their_account_open(self) -> None:
        user = squat()
        customer = Customer.objects.get()
        MembershipFactory(customer=customer)
        Customer.objects.update(email="pay@shared.test")
        sign_up()
        customer.refresh_from_db()
        assert customer.closed_at is None
        assert not User.objects.filter(pk=user.pk).exists()

    def test_that_only_added_her_address_does_not_block_her(self) -> None:
        mallory = make_person("mallory@evil.test")
        EmailAddress.objects.create(user=mallory, email=ANN)
        _, page = sign_up()
        assert page.redirect_chain[-1][0] == "/dashboard/"
        assert list(EmailAddress.objects.filter(user=mallory).values_list("email", flat=True)) == [
            "mallory@evil.test"
        ]


class TestTheTrojanAccount:
    def test_is_not_made_for_an_existing_person(self) -> None:
        person = make_person(ANN)
        assert onboard().status_code == 422
        assert not Membership.objects.filter(user=person).exists()
        assert not SignupRequest.objects.exists()

    def test_asked_for_before_she_came_does_not_block_her_invitations(self) -> None:
        onboard()
        person, by = make_person(ANN), MembershipFactory()
        invite_member(customer=by.customer, email=ANN, role="member", by=by, at=timezone.now(), address=None)
        client = Client()
        client.force_login(person)
        client.post(read_invitation())
        assert Membership.objects.get(user=person).customer == by.customer

    def test_takes_nobody_out_of_their_account(self) -> None:
        raw = onboard().json()["api_key"]
        path = read_onboarding_link()
        member = MembershipFactory(user=make_person(ANN))
        client = Client()
        client.force_login(member.user)
        page = client.post(path, {"answer": "activate"})
        assert "You are already a member of an account" in page.text
        assert authenticate_api_key(raw) is None
        assert Membership.objects.get(user=member.user) == member

    def test_is_not_made_by_staffs_command_for_an_existing_person(self) -> None:
        from provisioning.services.provision_customer import SignupRejected, provision_customer

        person = make_person(ANN)
        with pytest.raises(SignupRejected):
            provision_customer(name="Evil", email=ANN)
        assert not Membership.objects.filter(user=person).exists()
        assert not CustomerFactory._meta.model.objects.exists()
