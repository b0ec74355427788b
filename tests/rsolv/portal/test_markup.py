"""Rules for the markup of every page."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from customers.models import User
from tests.factories import make_mitigation_of
from tests.rsolv.portal.markup import Page, read_page
from tests.tenants import Browser

PUBLIC = (
    "/",
    "/accounts/signup/",
    "/accounts/login/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/1-bad/",
    "/accounts/password/reset/key/done/",
    "/accounts/confirm-email/bad/",
    "/accounts/inactive/",
    "/accounts/3rdparty/login/cancelled/",
    "/accounts/3rdparty/login/error/",
    "/invitations/bad/",
    "/nowhere",
)
OWN = (
    "/dashboard/",
    "/dashboard/fixes/",
    "/dashboard/repositories/",
    "/dashboard/usage/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/logout/",
    "/accounts/reauthenticate/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/sessions/",
    "/accounts/3rdparty/",
    "/dashboard/team/",
    "/dashboard/audit-log/",
)
INLINE_SOURCES = {
    "style",
    *(f"on{event}" for event in ("click", "load", "submit", "change", "error", "input")),
}


@pytest.fixture
def page(request: Any, client: Client, alice: Browser) -> Page:
    path = request.param
    user = User.objects.get()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    if path == "/accounts/email/":
        EmailAddress.objects.create(user=user, email="second@example.com")
    if path == "/dashboard/":
        make_mitigation_of(alice.customer)
    return read_page((alice if path in OWN else client).get(path).text)


@pytest.mark.parametrize("page", PUBLIC + OWN, indirect=True)
class TestEveryPage:
    def test_has_no_inline_code_or_styles(self, page: Page) -> None:
        assert not page.find_all("style")
        for script in page.find_all("script"):
            assert "src" in script.attrs or script.attrs.get("type") == "application/json"
        for element in page.elements:
            assert not INLINE_SOURCES & set(element.attrs), element
            assert not element.attrs.get("href", "").startswith("javascript:")

    def test_has_landmarks(self, page: Page) -> None:
        assert page.find("html").attrs["lang"] == "en-us"
        assert len(page.find_all("main")) == len(page.find_all("h1")) == 1
        assert page.find("a").attrs == {"class": "skip", "href": "#main"}
        assert page.find("main").attrs["id"] == "main"
        assert "RSOLV" in page.find("title").words

    def test_labels_every_field(self, page: Page) -> None:
        labels = {label.attrs["for"] for label in page.find_all("label")}
        fields = [e for e in page.find_all("input") if e.attrs["type"] not in ("hidden", "submit")]
        fields += page.find_all("select") + page.find_all("textarea")
        assert {e.attrs["id"] for e in fields} == labels
        described = {id for e in fields for id in e.attrs.get("aria-describedby", "").split()}
        assert described <= set(page.ids)

    def test_has_unique_ids(self, page: Page) -> None:
        assert len(page.ids) == len(set(page.ids))


@pytest.mark.django_db
class TestForm:
    def test_associates_errors_with_their_fields(self, client: Client) -> None:
        page = read_page(client.post("/accounts/signup/", {"email": "no", "password1": "short"}).text)
        email = page.get("id_email")
        assert email
        assert email.attrs["aria-invalid"] == "true"
        assert "id_email_error" in email.attrs["aria-describedby"]
        error = page.get("id_email_error")
        assert error
        assert error.words == "Enter a valid email address."

    def test_announces_form_errors(self, client: Client) -> None:
        page = read_page(client.post("/accounts/login/", {"login": "a@b.example", "password": "x"}).text)
        alert = next(e for e in page.elements if e.attrs.get("role") == "alert")
        assert "not correct" in alert.words


class TestPortal:
    def test_marks_the_current_page(self, alice: Browser) -> None:
        current = [
            a for a in read_page(alice.get("/dashboard/").text).find_all("a") if "aria-current" in a.attrs
        ]
        assert {(a.attrs["href"], a.words) for a in current} == {("/dashboard/", "Overview")}

    def test_logs_out_with_a_form(self, alice: Browser) -> None:
        assert "/accounts/logout/" in {
            f.attrs["action"] for f in read_page(alice.get("/dashboard/").text).find_all("form")
        }
        alice.post("/accounts/logout/")
        assert alice.get("/dashboard/").status_code == 302

    def test_confirms_the_removal_of_an_address(self, alice: Browser) -> None:
        user = User.objects.get()
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        EmailAddress.objects.create(user=user, email="second@example.com")
        page = read_page(alice.get("/accounts/email/").text)
        question = next(e for e in page.find_all("details") if e.attrs["class"] == "ask")
        assert "Remove second@example.com?" in question.words
        alice.post("/accounts/email/", {"email": "second@example.com", "action_remove": ""})
        assert not EmailAddress.objects.filter(email="second@example.com").exists()
