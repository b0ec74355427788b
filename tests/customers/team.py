"""A team to act in."""

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
    """Who acts, when and from where, as the services take it."""
    return {"by": by, "at": timezone.now(), "address": "192.0.2.7"}


def make_person(email: str) -> User:
    """Somebody who has confirmed their address and is in no customer."""
    user = UserFactory(email=email)
    user.set_password("correct-horse-battery")
    user.save()
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def read_invitation() -> str:
    """The path in the last mail."""
    deliver_mails()
    found = re.search(r"(/invitations/[\w-]+/)", mail.outbox[-1].body)
    assert found, mail.outbox[-1].body
    return found[1]


def forget_mail_limits() -> None:
    """As if a day had passed for everything that counts how often something was done."""
    cache.clear()
    limiter.in_process.clear()
