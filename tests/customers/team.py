"""Teams, people and their mails."""

import re
from typing import Any

from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from core.api import limiter
from customers.models import Customer, Membership, User
from tests.factories import CustomerFactory, MembershipFactory, UserFactory
from tests.signup import deliver_mails


def make_team(*roles: str) -> tuple[Customer, list[Membership]]:
    customer = CustomerFactory(name="Acme")
    return customer, [MembershipFactory(customer=customer, role=role) for role in roles]


def origin_of(by: Membership | None) -> dict[str, Any]:
    """Return who acts, when and from which address, as arguments of a service."""
    return {"by": by, "at": timezone.now(), "address": "192.0.2.7"}


def make_person(email: str) -> User:
    """Create a user with a confirmed address who belongs to no customer."""
    user = UserFactory(email=email)
    user.set_password("correct-horse-battery")
    user.save()
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def read_invitation() -> str:
    """Return the path of the invitation link in the last mail."""
    deliver_mails()
    found = re.search(r"(/invitations/[\w-]+/)", mail.outbox[-1].body)
    assert found, mail.outbox[-1].body
    return found[1]


def forget_mail_limits() -> None:
    """Reset all rate limits, as if a day had passed."""
    cache.clear()
    limiter.in_process.clear()
