from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from customers.models import User
from tests.rsolv.portal.markup import read_page
from tests.signup import deliver_mails, enter_code

pytestmark = pytest.mark.django_db
FORM = {"name": "Acme", "email": "eve@acme.example", "password1": "a long enough phrase 7"}


def read_mail(mailoutbox: list[Any]) -> tuple[EmailMultiAlternatives, str]:
    """Return the last mail and its HTML."""
    deliver_mails()
    mail = mailoutbox[-1]
    (html, kind), *_ = mail.alternatives
    assert kind == "text/html"
    read_page(html)
    return mail, html


class TestAccountMails:
    def test_confirmation_contains_the_code(self, client: Client, mailoutbox: Any) -> None:
        client.post("/accounts/signup/", FORM)
        mail, html = read_mail(mailoutbox)
        assert mail.subject == "Confirm your address for RSOLV"
        assert 'class="code"' in html
        assert enter_code(client).redirect_chain == [("/dashboard/", 302)]

    def test_reset_links_to_the_new_password_page(self, client: Client, mailoutbox: Any) -> None:
        User.objects.create_user("eve@acme.example", "forgotten phrase 9")
        client.post("/accounts/password/reset/", {"email": "eve@acme.example"})
        mail, html = read_mail(mailoutbox)
        link = next(word for word in mail.body.split() if "/reset/key/" in word)
        assert mail.subject == "Reset your RSOLV password"
        assert f'href="{link}"' in html
        assert "Choose a new password" in client.get(link, follow=True).text

    def test_unknown_address_is_reported_by_mail_only(self, client: Client, mailoutbox: Any) -> None:
        page = client.post("/accounts/password/reset/", {"email": "who@acme.example"}, follow=True)
        mail, _ = read_mail(mailoutbox)
        assert mail.subject == "There is no RSOLV account for this address"
        assert "If the address belongs to an account" in page.text
