"""The signup in a browser's session that waits for its code."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialLogin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from core.api.throttling import find_ip
from customers.models import User
from customers.selectors import find_person
from customers.services.release_unconfirmed_address import release_unconfirmed_address
from provisioning.services.provision_customer import SignupRejected
from provisioning.services.request_signup import request_signup

SESSION_KEY = "signup"


@dataclass(frozen=True)
class PendingSignup:
    """What the session stores about the signup.

    `social` is the GitHub login to connect, serialized by allauth.
    """

    request_id: str
    email: str
    next: str = ""
    social: dict[str, Any] | None = None

    @property
    def pk(self) -> UUID:
        return UUID(self.request_id)

    def find_social_login(self) -> SocialLogin | None:
        return SocialLogin.deserialize(self.social) if self.social else None


def begin_signup(
    request: HttpRequest, *, next: str = "", social: SocialLogin | None = None, **requested: Any
) -> HttpResponse:
    """Request the account and redirect to the page for the code.

    An address in use gets the same response.
    """
    made = request_signup(**requested, at=timezone.now(), address=find_ip(request))
    pending = PendingSignup(str(made.pk), made.email, next, social.serialize() if social else None)
    request.session[SESSION_KEY] = asdict(pending)
    return redirect("account_email_verification_sent")


def find_pending(request: HttpRequest) -> PendingSignup | None:
    """Return the session's signup that waits for its code, or None. None for a logged-in person."""
    kept = request.session.get(SESSION_KEY)
    if not kept or request.user.is_authenticated:
        return None
    try:
        return PendingSignup(**kept)
    except TypeError:  # written by another release
        return None


def forget_pending(request: HttpRequest) -> None:
    request.session.pop(SESSION_KEY, None)


def sign_up_by_github(request: HttpRequest, social: SocialLogin, email: str) -> User:
    """Create a person from a GitHub login, with their confirmed address.

    Raises SignupRejected if the address has become somebody's login meanwhile.
    """
    if find_person(email=email) is not None:
        raise SignupRejected
    release_unconfirmed_address(email=email, at=timezone.now())
    assert isinstance(social.user, User)
    social.user.email = email
    social.email_addresses = [EmailAddress(email=email, verified=True, primary=True)]
    get_adapter().save_user(request, social, form=None)
    return social.user
