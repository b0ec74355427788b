import base64
import binascii
import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import BillingAccount
from customers.models import ApiKey, Customer, Membership, User
from provisioning.models import OutgoingMail, ProvisioningEvent
from provisioning.services import confirm_signup
from provisioning.services.provision_customer import SignupRejected
from tests.conftest import ApiClient
from tests.customers.team import make_person
from tests.factories import CustomerFactory, MembershipFactory, UserFactory
from tests.outbox import make_due
from tests.signup import FORM, deliver_mails, enter_code, sign_up


def look(response):
    """What a client can observe: the status, headers but for id and time, and the shape of the cookies."""
    own = ("X-Request-Id", "Expires")
    headers = {name: value for name, value in response.headers.items() if name not in own}
    cookies = {
        name: (len(each.value), each["path"], each["max-age"]) for name, each in response.cookies.items()
    }
    return response.status_code, headers, cookies


def _decode(text):
    for piece in [text, *text.split(":"), *text.split(".")]:
        try:
            yield base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4)).decode("latin-1")
        except binascii.Error:
            continue


def read_key(response):
    found = re.search(r'id="new-api-key"[^>]*>\s*(rsolv_[\w-]+)', response.content.decode())
    return found and found[1]


@pytest.mark.django_db
class TestSignup:
    def test_creates_account_owner_trial_and_a_working_key(self):
        _, response = sign_up()
        assert response.redirect_chain[-1][0] == "/dashboard/"
        customer = Customer.objects.get()
        assert (customer.name, customer.email) == ("Acme", "alice@acme.test")
        assert Membership.objects.get(user__email="alice@acme.test").role == "owner"
        assert BillingAccount.objects.get(customer=customer).plan == "trial"
        assert ApiClient(read_key(response)).get("/api/v1/entitlement").status_code == 200

    def test_shows_the_key_once(self):
        client, response = sign_up()
        assert read_key(response)
        assert read_key(client.get("/dashboard/")) is None
        assert ApiKey.objects.count() == 1

    def test_verifies_the_address_by_mail(self, mailoutbox):
        client = Client()
        client.post("/accounts/signup/", FORM)
        deliver_mails()
        assert [mail.to for mail in mailoutbox] == [["alice@acme.test"]]
        assert client.get("/dashboard/").status_code == 302

    def test_code_is_cleared_after_sending(self):
        sign_up()
        assert [(mail.text, mail.html) for mail in OutgoingMail.objects.all()] == [("", "")]

    @pytest.mark.parametrize(
        "changes",
        [{"email": "nonsense"}, {"name": ""}, {"password1": "short"}, {"password1": "password123456"[:8]}],
    )
    def test_invalid_input_creates_nothing(self, changes):
        _, response = sign_up(**changes)
        assert response.status_code == 200
        assert not User.objects.exists()
        assert not Customer.objects.exists()

    def test_address_of_a_closed_account_can_sign_up(self):
        CustomerFactory(email="alice@acme.test", closed_at=timezone.now())
        _, response = sign_up()
        assert read_key(response)
        assert Customer.objects.get(closed_at=None).email == "alice@acme.test"

    def test_user_of_a_closed_account_is_notified_by_mail_only(self, mailoutbox):
        UserFactory(email="alice@acme.test")
        CustomerFactory(email="alice@acme.test", closed_at=timezone.now())
        answer = Client().post("/accounts/signup/", FORM)
        assert answer.headers["Location"] == "/accounts/confirm-email/"
        assert not Customer.objects.filter(closed_at=None).exists()
        deliver_mails()
        assert "Log in with it, even if you want to start a new account" in mailoutbox[0].body

    def test_response_does_not_reveal_an_address_in_use(self, mailoutbox):
        new, used = Client(), Client()
        CustomerFactory(email="carol@acme.test")
        answers = [
            browser.post("/accounts/signup/", FORM | {"email": email})
            for browser, email in ((new, "alice@acme.test"), (used, "carol@acme.test"))
        ]
        assert [answer.headers["Location"] for answer in answers] == ["/accounts/confirm-email/"] * 2
        assert look(answers[0]) == look(answers[1])
        pages = [browser.get("/accounts/confirm-email/").content.decode() for browser in (new, used)]
        assert re.sub("alice@|carol@|csrf.*", "", pages[0]) == re.sub("alice@|carol@|csrf.*", "", pages[1])
        deliver_mails()
        assert [mail.subject for mail in mailoutbox if mail.to == ["carol@acme.test"]] == [
            "You already have an RSOLV account"
        ]
        assert not User.objects.filter(email="alice@acme.test").exists()

    def test_number_of_queries_does_not_reveal_an_address_in_use(self):
        CustomerFactory(email="carol@acme.test")
        counts = []
        make_person("person@acme.test")
        for email in ("warm@acme.test", "alice@acme.test", "carol@acme.test", "person@acme.test"):
            with CaptureQueriesContext(connection) as queries:
                Client().post("/accounts/signup/", FORM | {"email": email})
            counts.append(len(queries))
        assert counts[1] == counts[2] == counts[3]

    def test_reset_response_does_not_reveal_an_address_in_use(self):
        make_person("person@acme.test")
        answers = [
            Client().post("/accounts/password/reset/", {"email": f"{name}@acme.test"})
            for name in ("person", "nobody")
        ]
        assert look(answers[0]) == look(answers[1])

    def test_code_for_an_address_in_use_is_always_wrong(self):
        UserFactory(email="alice@acme.test")
        client, response = sign_up()
        assert client.post("/accounts/confirm-email/", {"code": "ABC-DEF"}).status_code == 200
        assert "_auth_user_id" not in client.session

    def test_unconfirmed_signup_creates_no_key(self):
        client = Client()
        answer = client.post("/accounts/signup/", FORM)
        assert set(answer.cookies) <= {"rsolv_session", "csrftoken", "messages"}
        assert not ApiKey.objects.exists()

    def test_creates_nothing_before_confirmation(self):
        Client().post("/accounts/signup/", FORM)
        for model in (User, Customer, Membership, ApiKey, EmailAddress, ProvisioningEvent):
            assert not model.objects.exists(), model

    def test_three_wrong_codes_end_the_signup(self):
        client = Client()
        client.post("/accounts/signup/", FORM)
        for _ in range(3):
            page = client.post("/accounts/confirm-email/", {"code": "AAAAAA"}, follow=True)
        assert page.redirect_chain[-1][0] == "/accounts/signup/"
        assert enter_code(client).redirect_chain[-1][0] != "/dashboard/"
        assert not User.objects.exists()

    def test_code_is_valid_in_its_own_browser_only(self):
        mine, other = Client(), Client()
        mine.post("/accounts/signup/", FORM)
        other.post("/accounts/signup/", FORM | {"name": "Evil"})
        deliver_mails()
        codes = [re.search(r"^([A-Z0-9-]{6,9})$", each.body, re.M)[1] for each in mail.outbox]
        page = other.post("/accounts/confirm-email/", {"code": codes[0]})
        assert "The code is wrong" in page.content.decode()
        assert not User.objects.exists()

    def test_code_expires_after_15_minutes(self, time_machine):
        client = Client()
        client.post("/accounts/signup/", FORM)
        time_machine.move_to(timezone.now() + timedelta(minutes=15))
        assert enter_code(client).redirect_chain[-1][0] == "/accounts/signup/"
        assert not User.objects.exists()

    def test_cookie_with_the_new_key_is_encrypted(self):
        client = Client()
        client.post("/accounts/signup/", FORM)
        cookie = enter_code(client, follow=False).cookies["rsolv_new_key"].value
        raw = read_key(client.get("/dashboard/"))
        assert raw
        for text in (cookie, *_decode(cookie)):
            assert raw not in text

    def test_ignores_other_fields(self):
        sign_up(is_staff="on", is_superuser="on", plan="teams")
        assert not User.objects.get().is_staff
        assert BillingAccount.objects.get().plan == "trial"

    def test_key_is_not_shown_to_another_user_of_the_browser(self):
        client, _ = sign_up()
        client.post("/accounts/logout/")
        stranger = MembershipFactory().user
        client.force_login(stranger)
        assert read_key(client.get("/dashboard/")) is None

    def test_conflict_is_a_form_error(self, monkeypatch):
        def fail(**_):
            raise SignupRejected

        monkeypatch.setattr(confirm_signup, "open_account", fail)
        client, response = sign_up()
        assert response.status_code == 200
        assert "cannot be used" in response.content.decode()
        assert not User.objects.exists()

    def test_mail_is_sent_after_the_mail_server_recovers(self, settings, mailoutbox):
        backend = settings.EMAIL_BACKEND
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        client = Client()
        assert client.post("/accounts/signup/", FORM).headers["Location"] == "/accounts/confirm-email/"
        deliver_mails()
        assert OutgoingMail.objects.get().last_error.startswith("ConnectionRefusedError")
        settings.EMAIL_BACKEND = backend
        make_due(OutgoingMail.objects.all())
        assert read_key(enter_code(client))

    @pytest.mark.parametrize("email", ["alice@mailinator.com", "alice@sub.mailinator.com"])
    def test_rejects_a_disposable_address(self, email):
        _, response = sign_up(email=email)
        assert "use the address of your company" in response.content.decode()
        assert not User.objects.exists()

    def test_mailbox_has_three_attempts_a_day(self):
        for tag in ("", "+a", "+b", "+c"):
            _, response = sign_up(email=f"alice{tag}@acme.test")
        assert "Too many requests" in response.content.decode()
        assert Customer.objects.count() == 3

    def test_network_address_has_ten_attempts_an_hour(self):
        for number in range(11):
            _, response = sign_up(email=f"alice{number}@acme.test")
        assert "Too many requests" in response.content.decode()
        assert Customer.objects.count() == 10
