"""Which routes require reauthentication by password, passkey or code, and which do not."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from time_machine import TimeMachineFixture

from billing.models import BillingAccount
from customers.models import ApiKey, AuditLogEntry, Invitation, User
from customers.services.manage_keys import create_api_key
from rsolv.portal.step_up import ASK_AT_ONCE, ASK_ON_CHANGE
from tests.customers.team import make_person
from tests.factories import BillingAccountFactory, MembershipFactory
from tests.rsolv.portal.test_isolation import PAGES, owned  # noqa: F401 - a fixture
from tests.signup import deliver_mails
from tests.tenants import Browser, expire_recent_login, open_browser, set_role, trust_login

PASSWORD = "correct-horse-battery"
QUESTION = "/accounts/reauthenticate/"
NEW_KEY = {"name": "CI", "expires_in": ""}

# Every other route that accepts POST, and why it does not require reauthentication.
DOES_NOT_ASK = {
    "it ends access, which must not be delayed": {
        "key-revoke",
        "invitation-revoke",
        "namespace-release",
        "usersessions_list",
        "account_logout",
    },
    "it requires the password itself": {"account_change_password"},
    "it is the reauthentication, or a step of a login": {
        "account_login",
        "account_confirm_login_code",
        "account_reauthenticate",
        "mfa_authenticate",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "mfa_login_webauthn",
        "reauthenticate-by-mail",
        "github_callback",
        "socialaccount_login_cancelled",
        "socialaccount_login_error",
    },
    "a stolen session gains nothing from it": {
        "account-start",
        "account_signup",
        "socialaccount_signup",
        "account_email_verification_sent",
        "account_confirm_email",
        "account_reset_password",
        "account_reset_password_from_key",
        "account_reset_password_done",
        "account_reset_password_from_key_done",
        "account_inactive",
        "invitation",
        "onboarding",
    },
    "it changes only names, mail preferences or what the overview shows": {
        "settings-profile",
        "settings-company",
        "settings-mail",
        "setup-hide",
    },
    "Stripe requires the card itself": {"billing-plans", "billing-return"},
    "it changes nothing": {
        "home",
        "dashboard",
        "billing",
        "billing-invoices",
        "billing-invoice",
        "billing-fix",
        "mfa_index",
    },
}


@pytest.fixture
def stale(alice: Browser) -> Browser:
    """The owner's browser, whose last authentication is too old for sensitive pages."""
    user = alice.membership.user
    user.set_password(PASSWORD)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    alice.force_login(user)
    expire_recent_login(alice)
    return alice


def is_question(response: Any) -> bool:
    return response.status_code == 302 and response.url.startswith(QUESTION)


def answer(browser: Client, response: Any, password: str = PASSWORD) -> Any:
    """Enter the password on the page to which the response redirects."""
    sent = {"password": password, "next": parse_qs(urlsplit(response.url).query)["next"][0]}
    return browser.post(urlsplit(response.url).path, sent)


def find_path(name: str, ids: dict[str, dict[str, Any]]) -> str:
    return reverse(name, kwargs=ids.get(name))


def list_unclassified() -> set[str]:
    return {name for _, name, _ in PAGES if name}.difference(
        ASK_AT_ONCE, ASK_ON_CHANGE, *DOES_NOT_ASK.values()
    )


class TestRoutes:
    @pytest.mark.parametrize("name", sorted(list_unclassified()))
    def test_every_post_route_is_classified(
        self,
        name: str,
        alice: Browser,
        owned: dict[str, dict[str, Any]],  # noqa: F811
    ) -> None:
        """A route in no list rejects POST. Add a new route to rsolv/portal/step_up.py or DOES_NOT_ASK."""
        arguments = next(arguments for _, each, arguments in PAGES if each == name)
        assert not arguments or name in owned, f"{name}: classify it, or add its id to `owned`"
        assert alice.post(find_path(name, owned)).status_code == 405

    def test_listed_routes_exist(self) -> None:
        assert {*ASK_AT_ONCE, *ASK_ON_CHANGE} <= {name for _, name, _ in PAGES} | {"github_login"}

    @pytest.mark.parametrize("name", sorted({*ASK_AT_ONCE, *ASK_ON_CHANGE} - {"github_login"}))
    def test_post_requires_reauthentication(
        self,
        name: str,
        stale: Browser,
        owned: dict[str, dict[str, Any]],  # noqa: F811
    ) -> None:
        assert is_question(stale.post(find_path(name, owned)))

    @pytest.mark.parametrize("name", sorted(ASK_AT_ONCE))
    def test_page_requires_reauthentication(
        self,
        name: str,
        stale: Browser,
        owned: dict[str, dict[str, Any]],  # noqa: F811
    ) -> None:
        assert is_question(stale.get(find_path(name, owned)))

    @pytest.mark.parametrize("name", sorted({*ASK_AT_ONCE, *ASK_ON_CHANGE} - {"github_login"}))
    def test_page_opens_right_after_a_login(
        self,
        name: str,
        stale: Browser,
        owned: dict[str, dict[str, Any]],  # noqa: F811
    ) -> None:
        trust_login(stale)
        assert not is_question(stale.get(find_path(name, owned)))


class TestAbandonedChange:
    def test_is_not_run_after_the_question_of_a_larger_form(self, stale: Browser) -> None:
        stale.post("/dashboard/keys/", NEW_KEY | {"name": "Abandoned"})
        asked = stale.post("/dashboard/keys/", NEW_KEY | {"name": "x" * 30_000})
        answer(stale, asked)
        assert not ApiKey.objects.exists()

    def test_is_not_run_after_the_question_of_a_download(self, stale: Browser) -> None:
        stale.post("/dashboard/keys/", NEW_KEY | {"name": "Abandoned"})
        answer(stale, stale.get("/dashboard/audit-log/export/"))
        assert not ApiKey.objects.exists()


class TestQuestion:
    def test_creates_the_key_only_after_the_answer(self, stale: Browser) -> None:
        asked = stale.post("/dashboard/keys/", NEW_KEY)
        assert is_question(asked)
        assert not ApiKey.objects.exists()
        assert answer(stale, asked).url == "/dashboard/keys/"
        assert ApiKey.objects.get().name == "CI"

    def test_creates_no_key_after_a_wrong_password(self, stale: Browser) -> None:
        page = answer(stale, stale.post("/dashboard/keys/", NEW_KEY), password="wrong")
        assert page.status_code == 200
        assert not ApiKey.objects.exists()
        entry = AuditLogEntry.objects.get()
        assert (entry.action, entry.customer) == ("reauthentication_failed", stale.customer)

    def test_resumes_the_submitted_form(self, stale: Browser) -> None:
        asked = stale.post("/dashboard/team/invite/", {"email": "new@acme.test", "role": "member"})
        assert not Invitation.objects.exists()
        answer(stale, asked)
        assert Invitation.objects.get().email == "new@acme.test"

    def test_is_not_repeated_within_the_timeout(self, stale: Browser) -> None:
        answer(stale, stale.post("/dashboard/keys/", NEW_KEY))
        assert not is_question(stale.post("/dashboard/keys/", NEW_KEY))

    def test_returns_to_the_form_if_another_tab_asked_meanwhile(self, stale: Browser) -> None:
        asked = stale.post("/dashboard/team/invite/", {"email": "new@acme.test", "role": "member"})
        stale.post("/dashboard/keys/", NEW_KEY)
        session = stale.session
        session["step_up_path"] = "/dashboard/team/invite/"
        session.save()
        page = stale.get(answer(stale, asked).url, follow=True)
        assert page.redirect_chain[-1][0] == "/dashboard/team/"
        assert "Send the form again" in page.text
        assert not Invitation.objects.exists()

    def test_does_not_store_a_large_form_in_the_session(self, stale: Browser) -> None:
        asked = stale.post("/dashboard/keys/", NEW_KEY | {"more": "x" * 50_000})
        assert is_question(asked)
        answer(stale, asked)
        assert not ApiKey.objects.exists()
        assert len(str(dict(stale.session))) < 20_000

    def test_does_not_store_cookies_in_the_session(self, stale: Browser) -> None:
        stale.cookies["rsolv_new_key"] = "a-secret-of-another-page"
        stale.post("/dashboard/keys/", NEW_KEY)
        assert "a-secret-of-another-page" not in str(dict(stale.session))

    def test_resumed_request_keeps_address_and_device(self, stale: Browser) -> None:
        stale.defaults["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux) Firefox/142.0"
        answer(stale, stale.post("/dashboard/keys/", NEW_KEY))
        entry = AuditLogEntry.objects.get(action="key_made")
        assert (entry.address, entry.device) == ("127.0.0.1", "Firefox on Linux")

    def test_redirects_the_whole_page_of_an_htmx_request(self, stale: Browser) -> None:
        response = stale.post("/dashboard/keys/", NEW_KEY, headers={"HX-Request": "true"})
        assert response["HX-Redirect"].startswith(QUESTION)
        assert response.status_code == 200

    def test_redirects_anonymous_users_to_login(self, client: Client, db: None) -> None:
        assert client.post("/dashboard/keys/", NEW_KEY).url.startswith("/accounts/login/")

    def test_is_repeated_for_another_user_of_the_browser(self, stale: Browser) -> None:
        trust_login(stale)
        session = stale.session
        session["identity_shown"] = [stale.membership.user.pk + 1, session["identity_shown"][1]]
        session.save()
        assert is_question(stale.post("/dashboard/keys/", NEW_KEY))

    def test_login_counts_as_authentication(self, stale: Browser) -> None:
        client = Client()
        client.post("/accounts/login/", {"login": stale.membership.user.email, "password": PASSWORD})
        assert not is_question(client.post("/dashboard/keys/", NEW_KEY))

    def test_comes_before_the_permission_check(self, stale: Browser) -> None:
        """A member without permission is still rejected afterwards."""
        set_role(stale, "member")
        asked = stale.post("/dashboard/team/invite/", {"email": "new@acme.test", "role": "member"})
        assert answer(stale, asked).status_code == 403

    def test_revoking_a_key_needs_no_reauthentication(self, stale: Browser) -> None:
        key = create_api_key(customer=stale.customer, name="leaked").api_key
        stale.post(f"/dashboard/keys/{key.pk}/revoke/")
        key.refresh_from_db()
        assert key.revoked_at is not None

    def test_spend_cap_stays_until_the_answer(self, stale: Browser) -> None:
        BillingAccount.objects.update(spend_cap_cents=5000)
        asked = stale.post("/dashboard/billing/cap/", {"remove": "1"})
        assert BillingAccount.objects.get().spend_cap_cents == 5000
        answer(stale, asked)
        assert BillingAccount.objects.get().spend_cap_cents is None


@pytest.fixture
def by_github() -> Browser:
    """A user who signs in with GitHub only, without password and second factor."""
    user = make_person("gita@acme.test")
    user.set_unusable_password()
    user.save()
    membership = MembershipFactory(user=user)
    BillingAccountFactory(customer=membership.customer)
    browser = open_browser(membership)
    expire_recent_login(browser)
    return browser


@pytest.mark.django_db
class TestGitHubOnlyUser:
    CODE = "/accounts/reauthenticate/code/"

    def ask(self, browser: Browser) -> dict[str, str]:
        """Try to create a key and request a code by mail; return the hidden fields of the form."""
        response = browser.post("/dashboard/keys/", NEW_KEY)
        assert response.url.startswith(self.CODE)
        sent = {"next": "/dashboard/keys/"}
        browser.post(self.CODE, sent | {"send": "1"})
        return sent

    def read_code(self) -> str:
        deliver_mails()
        assert mail.outbox[-1].to == ["gita@acme.test"]
        found = re.search(r"^(\d{6})$", mail.outbox[-1].body, re.M)
        assert found
        return found[1]

    def test_enters_a_code_from_the_mail(self, by_github: Browser) -> None:
        sent = self.ask(by_github)
        assert not ApiKey.objects.exists()
        assert by_github.post(self.CODE, sent | {"code": self.read_code()}).url == "/dashboard/keys/"
        assert ApiKey.objects.count() == 1

    def test_gets_no_mail_by_opening_the_page(self, by_github: Browser) -> None:
        assert "Mail me a code" in by_github.get(self.CODE).text
        deliver_mails()
        assert not mail.outbox

    def test_has_five_attempts(self, by_github: Browser) -> None:
        sent = self.ask(by_github)
        code = self.read_code()
        wrong = "000000" if code != "000000" else "000001"
        for _ in range(5):
            by_github.post(self.CODE, sent | {"code": wrong})
        by_github.post(self.CODE, sent | {"code": code})
        assert not ApiKey.objects.exists()

    def test_has_five_attempts_even_concurrently(self, by_github: Browser) -> None:
        """All requests read the session before any of them writes it."""
        sent = self.ask(by_github)
        code, before = self.read_code(), dict(by_github.session)
        for _ in range(5):
            by_github.post(self.CODE, sent | {"code": "000000" if code != "000000" else "000001"})
            session = by_github.session
            session.update(before)
            session.save()
        by_github.post(self.CODE, sent | {"code": code})
        assert not ApiKey.objects.exists()

    def test_code_expires_after_ten_minutes(
        self, by_github: Browser, time_machine: TimeMachineFixture
    ) -> None:
        sent = self.ask(by_github)
        time_machine.move_to(timezone.now() + timedelta(minutes=10, seconds=1))
        by_github.post(self.CODE, sent | {"code": self.read_code()})
        assert not ApiKey.objects.exists()

    def test_code_works_once(self, by_github: Browser) -> None:
        sent = self.ask(by_github)
        code = self.read_code()
        by_github.post(self.CODE, sent | {"code": code})
        expire_recent_login(by_github)
        by_github.post("/dashboard/keys/", NEW_KEY)
        by_github.post(self.CODE, sent | {"code": code})
        assert ApiKey.objects.count() == 1

    def test_gets_at_most_five_codes_an_hour(self, by_github: Browser) -> None:
        for _ in range(7):
            page = by_github.post(self.CODE, {"send": "1"})
        deliver_mails()
        assert len(mail.outbox) == 5
        assert "No more codes for now" in page.text

    def test_session_does_not_contain_the_code(self, by_github: Browser) -> None:
        self.ask(by_github)
        assert self.read_code() not in str(dict(by_github.session))

    def test_without_a_confirmed_address_must_log_in_again(self, by_github: Browser) -> None:
        EmailAddress.objects.update(verified=False)
        page = by_github.post(self.CODE, {"send": "1"})
        assert "Log out" in page.text
        deliver_mails()
        assert not mail.outbox

    def test_cannot_set_a_password_with_a_stolen_session(self, by_github: Browser) -> None:
        new = {"password1": "another-horse-2", "password2": "another-horse-2"}
        assert by_github.post("/accounts/password/set/", new).url.startswith(self.CODE)
        assert not User.objects.get().has_usable_password()

    def test_cannot_set_up_a_second_factor_with_a_stolen_session(self, by_github: Browser) -> None:
        assert by_github.get("/accounts/2fa/totp/activate/").url.startswith(self.CODE)
        assert not Authenticator.objects.exists()

    def test_user_with_a_password_must_enter_it(self, stale: Browser) -> None:
        assert stale.get(self.CODE).url.startswith(QUESTION)


def test_reauthentication_timeout_is_five_minutes() -> None:
    assert settings.ACCOUNT_REAUTHENTICATION_TIMEOUT == 300
