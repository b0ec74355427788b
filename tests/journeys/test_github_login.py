"""Log in with GitHub, which is the sandbox's GitHub over HTTP."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from django.core import mail
from django.test import Client

from customers.models import ApiKey, AuditLogEntry, Customer, Membership, User
from provisioning.models import ProvisioningEvent
from sandbox.github.people import OCTAVIA
from sandbox.github.server import CLIENT_ID, CLIENT_SECRET, GitHubSandbox
from tests.customers.team import make_person
from tests.factories import MembershipFactory
from tests.signup import deliver_mails, enter_code
from tests.tenants import expire_recent_login, trust_login

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"
START = "/accounts/github/login/"
FORM = {"name": "Fernwood", "email": OCTAVIA.emails[0][0]}


@pytest.fixture(scope="module")
def server() -> Iterator[GitHubSandbox]:
    with GitHubSandbox() as github:
        yield github


@pytest.fixture(autouse=True)
def github(server: GitHubSandbox, settings: Any, monkeypatch: Any) -> None:
    """Configure RSOLV with an OAuth application of the sandbox's GitHub."""
    app = {"client_id": CLIENT_ID, "secret": CLIENT_SECRET}
    settings.SOCIALACCOUNT_PROVIDERS = {"github": {"APPS": [app], "GITHUB_URL": server.url}}
    oauth, api = f"{server.url}/login/oauth", f"{server.url}/api/v3"
    monkeypatch.setattr(GitHubOAuth2Adapter, "access_token_url", f"{oauth}/access_token")
    monkeypatch.setattr(GitHubOAuth2Adapter, "authorize_url", f"{oauth}/authorize")
    monkeypatch.setattr(GitHubOAuth2Adapter, "profile_url", f"{api}/user")
    monkeypatch.setattr(GitHubOAuth2Adapter, "emails_url", f"{api}/user/emails")


def log_in_with_github(login: str = "octavia", client: Client | None = None, process: str = "login") -> Any:
    """Start the login, authorize RSOLV at GitHub and follow the redirect back; an empty `login` cancels."""
    client = client or Client()
    redirect = client.post(f"{START}?process={process}")
    answered = httpx.post(redirect.headers["Location"], data={"login": login}, trust_env=False)
    back = urlsplit(answered.headers["Location"])
    return client, client.get(f"{back.path}?{back.query}", follow=True)


class TestNewUser:
    def test_names_the_company_and_gets_an_account_with_one_key(self) -> None:
        client, form = log_in_with_github()
        assert 'value="fernwood"' in form.text
        page = client.post("/accounts/3rdparty/signup/", FORM, follow=True)
        customer = Customer.objects.get()
        assert (customer.name, customer.signup_source) == ("Fernwood", "github")
        assert page.redirect_chain[-1][0] == "/dashboard/"
        assert ApiKey.objects.get().prefix in page.text
        assert ProvisioningEvent.objects.filter(customer=customer).count() == 6
        assert Membership.objects.get().role == "owner"

    def test_submitting_the_form_twice_creates_one_customer(self) -> None:
        client, _ = log_in_with_github()
        client.post("/accounts/3rdparty/signup/", FORM)
        client.post("/accounts/3rdparty/signup/", FORM)
        assert (Customer.objects.count(), User.objects.count(), ApiKey.objects.count()) == (1, 1, 1)

    def test_logs_in_again_without_a_second_signup(self) -> None:
        client, _ = log_in_with_github()
        client.post("/accounts/3rdparty/signup/", FORM)
        _, page = log_in_with_github()
        assert page.redirect_chain[-1][0] == "/dashboard/"
        assert Customer.objects.count() == 1

    def test_cannot_use_an_address_that_github_has_not_verified(self) -> None:
        client, _ = log_in_with_github()
        page = client.post("/accounts/3rdparty/signup/", FORM | {"email": "boss@bigco.example"})
        assert "Use an address that GitHub has verified" in page.text
        assert not Customer.objects.exists()

    def test_without_a_verified_address_confirms_one_by_code(self) -> None:
        client, _ = log_in_with_github("unproven")
        form = {"name": "Una", "email": "una@fernwood.example"}
        page = client.post("/accounts/3rdparty/signup/", form, follow=True)
        assert page.redirect_chain[-1][0] == "/accounts/confirm-email/"
        assert enter_code(client).redirect_chain[-1][0] == "/dashboard/"

    def test_canceling_at_github_creates_nothing(self) -> None:
        _, page = log_in_with_github("")
        assert "You canceled the login at GitHub" in page.text
        assert not User.objects.exists()


class TestAddressInUse:
    def test_is_not_connected_and_gets_a_mail(self) -> None:
        make_person(OCTAVIA.emails[0][0])
        client, _ = log_in_with_github()
        page = client.post("/accounts/3rdparty/signup/", FORM, follow=True)
        deliver_mails()
        assert page.redirect_chain[-1][0] == "/accounts/confirm-email/"
        assert "already" in mail.outbox[-1].body
        assert "_auth_user_id" not in client.session
        assert not SocialAccount.objects.exists()

    def test_of_an_unconfirmed_user_gets_a_new_user(self) -> None:
        user = make_person(OCTAVIA.emails[0][0])
        EmailAddress.objects.update(verified=False)
        client, _ = log_in_with_github()
        client.post("/accounts/3rdparty/signup/", FORM, follow=True)
        assert client.session["_auth_user_id"] != str(user.pk)
        assert not User.objects.filter(pk=user.pk).exists()
        assert Membership.objects.get().user.email == OCTAVIA.emails[0][0]

    @pytest.mark.parametrize("method", ["head", "options", "get"])
    def test_connecting_from_an_old_session_does_not_redirect_to_github(self, method: str) -> None:
        owner = Client()
        owner.force_login(make_person("owner@acme.test"))
        expire_recent_login(owner)
        redirect = getattr(owner, method)(f"{START}?process=connect")
        assert redirect.status_code != 302 or "/login/oauth/" not in redirect.headers["Location"]

    def test_is_not_connected_if_the_login_became_too_old_at_github(self) -> None:
        owner = Client()
        owner.force_login(make_person("owner@acme.test"))
        trust_login(owner)
        redirect = owner.post(f"{START}?process=connect")
        answered = httpx.post(redirect.headers["Location"], data={"login": "octavia"}, trust_env=False)
        expire_recent_login(owner)
        back = urlsplit(answered.headers["Location"])
        answer = owner.get(f"{back.path}?{back.query}")
        assert answer.headers["Location"] == "/accounts/3rdparty/"
        owner.post("/accounts/reauthenticate/", {"password": PASSWORD})
        assert not SocialAccount.objects.exists()

    def test_can_log_in_after_its_owner_connected_github(self) -> None:
        member = MembershipFactory(user=make_person(OCTAVIA.emails[0][0]))
        owner = Client()
        owner.force_login(member.user)
        trust_login(owner)
        log_in_with_github(client=owner, process="connect")
        assert AuditLogEntry.objects.get(customer=member.customer).action == "login_connected"
        client, page = log_in_with_github()
        assert page.redirect_chain[-1][0] == "/dashboard/"
        assert client.session["_auth_user_id"] == str(member.user.pk)


class TestConfiguration:
    def test_without_an_application_there_is_no_page_and_no_button(self, settings: Any) -> None:
        settings.SOCIALACCOUNT_PROVIDERS = {"github": {"APPS": []}}
        assert Client().post(START).status_code == 404
        assert "GitHub" not in Client().get("/accounts/login/").text

    def test_with_an_application_there_is_a_button(self) -> None:
        assert "Log in with GitHub" in Client().get("/accounts/login/").text
