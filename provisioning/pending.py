"""The signup that a browser waits for the code of."""

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
from provisioning.services.provision_customer import SignupRefused
from provisioning.services.request_signup import request_signup

KEPT_AS = "signup"


@dataclass(frozen=True)
class Pending:
    """What the session keeps of it. `social` is the GitHub login that it is for, as allauth writes it."""

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
    request: HttpRequest, *, next: str = "", social: SocialLogin | None = None, **asked: Any
) -> HttpResponse:
    """Ask for the account, and lead to where the code is typed in; the same way for an address in use."""
    made = request_signup(**asked, at=timezone.now(), address=find_ip(request))
    pending = Pending(str(made.pk), made.email, next, social.serialize() if social else None)
    request.session[KEPT_AS] = asdict(pending)
    return redirect("account_email_verification_sent")


def find_pending(request: HttpRequest) -> Pending | None:
    kept = request.session.get(KEPT_AS)
    if not kept or request.user.is_authenticated:
        return None
    try:
        return Pending(**kept)
    except TypeError:  # written by another release
        return None


def forget_pending(request: HttpRequest) -> None:
    request.session.pop(KEPT_AS, None)


def sign_up_by_github(request: HttpRequest, social: SocialLogin, email: str) -> User:
    """Make the person of a GitHub login, with the address that they have confirmed.

    Raises SignupRefused where it is another's login by now.
    """
    if find_person(email=email) is not None:
        raise SignupRefused
    release_unconfirmed_address(email=email, at=timezone.now())
    assert isinstance(social.user, User)
    social.user.email = email
    social.email_addresses = [EmailAddress(email=email, verified=True, primary=True)]
    get_adapter().save_user(request, social, form=None)
    return social.user
