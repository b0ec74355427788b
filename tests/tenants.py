"""Three people with browsers: Alice owns Acme, Bob is a member of Acme, Mallory owns another customer."""

from time import time

import pytest
from django.conf import settings
from django.test import Client

from customers import recent_login
from customers.models import Customer, Membership
from tests.factories import BillingAccountFactory, MembershipFactory


class Browser(Client):
    """The browser of a signed-in user."""

    membership: Membership

    @property
    def customer(self) -> Customer:
        return self.membership.customer


@pytest.fixture
def alice(acme: Customer) -> Browser:
    return open_browser(make_owner(acme))


@pytest.fixture
def bob(alice: Browser) -> Browser:
    """A teammate of Alice's, with the role `member`."""
    return open_browser(MembershipFactory(customer=alice.customer, role=Membership.Role.MEMBER))


@pytest.fixture
def mallory(stranger: Customer) -> Browser:
    """A stranger, who must see nothing of Acme's."""
    return open_browser(make_owner(stranger))


def make_owner(customer: Customer) -> Membership:
    """Create the owner and the billing account of a customer."""
    BillingAccountFactory(customer=customer)
    return MembershipFactory(customer=customer)


def open_browser(membership: Membership) -> Browser:
    """Return a browser in which the member has just signed in."""
    browser = Browser(raise_request_exception=False)
    browser.force_login(membership.user)
    browser.membership = membership
    trust_login(browser)
    return browser


def set_role(browser: Browser, role: str) -> None:
    browser.membership.role = role
    browser.membership.save(update_fields=["role"])


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
