"""Names that users chose cannot carry messages to others in our mails."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.template.loader import render_to_string

from customers.models import Customer
from tests.customers.team import make_team, origin_of
from tests.signup import deliver_mails

TEMPLATES = Path(settings.BASE_DIR) / "templates"
IN_MAILS = [
    path
    for path in sorted(TEMPLATES.rglob("*"))
    if path.is_file() and ({"mail", "email"} & set(path.parts) or path.name.startswith("email"))
]
NAME = re.compile(r"\b(?:customer|user|person|invited_by|by|member|owner)\.name\b(?!\|mail_name)")
BAIT = "You won! Visit evil.example/win or write to help@evil.example\r\nBcc: x@y.test " + "A" * 200


@pytest.mark.parametrize("path", IN_MAILS, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_every_name_in_a_mail_is_cleaned(path: Path) -> None:
    assert not NAME.search(path.read_text())


@pytest.mark.django_db
def test_invitation_contains_no_message_from_the_account_name() -> None:
    from customers.services.invite_member import invite_member

    _, (owner,) = make_team("owner")
    Customer.objects.update(name=BAIT[:200])
    owner.refresh_from_db()
    invite_member(customer=owner.customer, email="v@example.net", role="member", **origin_of(owner))
    deliver_mails()
    (sent,) = mail.outbox
    whole = sent.subject + sent.body + str(sent.alternatives)
    assert "evil.example" not in whole
    assert "help@evil" not in whole
    assert len(sent.subject) < 90
    assert "\n" not in sent.subject


def test_notification_contains_no_message_from_the_user_agent() -> None:
    context = {"user_agent": "Your account is closed. Go to http://evil.example/login now", "ip": "192.0.2.7"}
    text = render_to_string("account/email/base_notification.txt", context)
    assert "evil.example" not in text
    assert "http:" not in text
