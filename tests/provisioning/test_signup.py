import re

import pytest
from django.test import Client

from billing.models import BillingAccount
from customers.models import ApiKey, Customer, Membership, User
from customers.services import EmailTaken
from tests.conftest import ApiClient
from tests.factories import CustomerFactory, MembershipFactory

FORM = {"name": "Acme", "email": "ann@acme.test", "password1": "correct-horse-battery"}


def sign_up(**changes):
    client = Client()
    return client, client.post("/accounts/signup/", FORM | changes, follow=True)


def read_key(response):
    found = re.search(r'id="new-api-key"[^>]*>\s*(rsolv_[\w-]+)', response.content.decode())
    return found and found[1]


@pytest.mark.django_db
class TestSignup:
    def test_makes_account_owner_trial_and_a_key_that_works(self):
        _, response = sign_up()
        assert response.redirect_chain[-1][0] == "/dashboard/"
        customer = Customer.objects.get()
        assert (customer.name, customer.email) == ("Acme", "ann@acme.test")
        assert Membership.objects.get(user__email="ann@acme.test").role == "owner"
        assert BillingAccount.objects.get(customer=customer).plan == "trial"
        assert ApiClient(read_key(response)).get("/api/v1/entitlement").status_code == 200

    def test_shows_the_key_once(self):
        client, response = sign_up()
        assert read_key(response)
        assert read_key(client.get("/dashboard/")) is None
        assert ApiKey.objects.count() == 1

    def test_verifies_the_address_by_mail(self, mailoutbox):
        sign_up()
        assert [mail.to for mail in mailoutbox] == [["ann@acme.test"]]

    @pytest.mark.parametrize(
        "changes",
        [{"email": "nonsense"}, {"name": ""}, {"password1": "short"}, {"password1": "password123456"[:8]}],
    )
    def test_bad_input_makes_nothing(self, changes):
        _, response = sign_up(**changes)
        assert response.status_code == 200
        assert not User.objects.exists()
        assert not Customer.objects.exists()

    def test_an_address_of_a_customer_without_a_login_is_refused(self):
        CustomerFactory(email="ann@acme.test")
        sign_up()
        assert not User.objects.exists()

    def test_nothing_else_can_be_assigned(self):
        sign_up(is_staff="on", is_superuser="on", plan="teams")
        assert not User.objects.get().is_staff
        assert BillingAccount.objects.get().plan == "trial"

    def test_a_key_is_shown_to_nobody_else_on_the_same_browser(self):
        client = Client()
        client.post("/accounts/signup/", FORM)
        client.post("/accounts/logout/")
        stranger = MembershipFactory().user
        client.force_login(stranger)
        assert read_key(client.get("/dashboard/")) is None

    def test_the_same_form_twice_at_once_is_a_form_error(self, monkeypatch):
        def fail(**_):
            raise EmailTaken

        monkeypatch.setattr("provisioning.forms.provision_customer", fail)
        client, response = sign_up()
        assert response.status_code == 200
        assert "cannot be used" in response.content.decode()
        assert not User.objects.exists()

    def test_works_while_the_mail_server_is_away(self, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        _, response = sign_up()
        assert read_key(response)
