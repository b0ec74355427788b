"""Sign up in a browser: the form, the mail with its code, the code."""

import re
from typing import Any

from django.core import mail
from django.test import Client
from django.utils import timezone

from provisioning.models import OutgoingMail
from provisioning.services.send_mail import send_mail

JOIN = {"name": "Alice", "password": "correct-horse-battery"}
FORM = {"name": "Acme", "email": "alice@acme.test", "password1": "correct-horse-battery"}


def sign_up(client: Client | None = None, **changes: Any) -> tuple[Client, Any]:
    """Sign up and return the browser and the last page."""
    client = client or Client()
    response = client.post("/accounts/signup/", FORM | changes, follow=True)
    if response.redirect_chain and response.redirect_chain[-1][0] == "/accounts/confirm-email/":
        response = enter_code(client)
    return client, response


def enter_code(client: Client, *, follow: bool = True) -> Any:
    """Enter the code of the last mail, if there is one."""
    deliver_mails()
    found = re.search(r"^([A-Z0-9-]{6,9})$", mail.outbox[-1].body, re.M) if mail.outbox else None
    return client.post("/accounts/confirm-email/", {"code": found[1] if found else ""}, follow=follow)


def read_onboarding_link() -> str:
    """Return the path of the onboarding link in the last mail."""
    deliver_mails()
    found = re.search(r"(/onboarding/[\w-]+/)", mail.outbox[-1].body)
    assert found, mail.outbox[-1].body
    return found[1]


def deliver_mails() -> None:
    """Send the mails that are due, as the worker does."""
    waiting = OutgoingMail.list_due(timezone.now()).order_by("created_at")
    for mail_id in waiting.values_list("pk", flat=True):
        send_mail(mail_id=mail_id)
