"""Two people in two customers, each with a browser."""

from collections.abc import Iterator
from time import time

import pytest
from django.conf import settings
from django.test import Client

from customers import recent_login
from customers.models import Customer
from tests.factories import BillingAccountFactory, CustomerFactory, MembershipFactory


class Browser(Client):
    """The browser of a signed-in user."""

    customer: Customer


@pytest.fixture
def alice(db: None) -> Iterator[Browser]:
    yield open_browser("Acme")


@pytest.fixture
def mallory(db: None) -> Iterator[Browser]:
    yield open_browser("Other")


def trust_login(browser: Client) -> None:
    """Mark the session as just authenticated, so that no page asks for the password again."""
    _show_identity(browser, at=time())


def expire_recent_login(browser: Client) -> None:
    """Make the last authentication too old for sensitive pages."""
    _show_identity(browser, at=time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT - 1)


def _show_identity(browser: Client, *, at: float) -> None:
    session = browser.session
    session[recent_login.SESSION_KEY] = [int(session["_auth_user_id"]), at]
    session.save()


def open_browser(name: str) -> Browser:
    membership = MembershipFactory(customer=CustomerFactory(name=name))
    BillingAccountFactory(customer=membership.customer)
    browser = Browser(raise_request_exception=False)
    browser.force_login(membership.user)
    trust_login(browser)
    browser.customer = membership.customer
    return browser
