"""Confirm signups: create the account and delete all other requests for its address."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_noop

from core.errors import DomainError
from customers.models import Customer, User
from customers.selectors import find_person, get_membership
from customers.services.invite_member import hash_token
from customers.services.manage_keys import NewApiKey, adopt_api_key, create_api_key
from provisioning.models import SignupRequest

from .provision_customer import FIRST_KEY, make_person, open_account
from .request_signup import hash_code

MAX_ATTEMPTS = 3


class SignupNotValid(DomainError):
    code, status = "SIGNUP_OVER", 410
    message = gettext_noop("This signup was already confirmed or canceled, or has expired. Sign up again.")


class WrongCode(DomainError):
    code, status = "WRONG_CODE", 422
    message = gettext_noop("The code is wrong. Enter the one from our latest mail.")


class WrongPerson(DomainError):
    code, status = "WRONG_PERSON", 409
    message = gettext_noop(
        "Log in as the owner of this address to confirm. If it has no login yet, log out first."
    )


class AlreadyInAccount(DomainError):
    code, status = "IN_AN_ACCOUNT", 409
    message = gettext_noop(
        "You are already a member of an account. Leave or close it first, or cancel this request."
    )


@dataclass(frozen=True)
class Confirmed:
    """What was created. `key` is None if the key that was handed out earlier works from now on."""

    customer: Customer
    user: User
    key: NewApiKey | None


def find_onboarding(*, token: str, at: datetime) -> SignupRequest | None:
    """Return the request that this link can still confirm. Changes nothing."""
    return SignupRequest.objects.filter(
        secret_hash=hash_token(token), source=Customer.SignupSource.API, expires_at__gt=at
    ).first()


def confirm_by_code(
    *,
    request_id: UUID,
    code: str,
    at: datetime,
    address: str | None,
    sign_up: Callable[[str], User] | None = None,
) -> Confirmed:
    """Create the account of a request by its code, which works once and allows three attempts.

    `sign_up` creates the person if they do not log in with a password. Raises WrongCode, and SignupNotValid
    if the request no longer exists or has expired.
    """
    guess = hash_code(str(request_id), code)
    tried = SignupRequest.objects.filter(pk=request_id, attempts__lt=MAX_ATTEMPTS, expires_at__gt=at)
    # Committed before the code is compared, so that concurrent guesses do not share an attempt.
    if not tried.update(attempts=F("attempts") + 1):
        raise SignupNotValid
    asked = SignupRequest.objects.filter(pk=request_id).first()
    if asked is None:
        raise SignupNotValid
    if not constant_time_compare(asked.secret_hash, guess):
        raise WrongCode if asked.attempts < MAX_ATTEMPTS else SignupNotValid

    def find_owner(asked: SignupRequest) -> User:
        if sign_up is not None:
            return sign_up(asked.email)
        return make_person(email=asked.email, at=at, password=asked.password)

    return _confirm(asked, find_owner, with_key=False, at=at, address=address)


def confirm_onboarding(
    *,
    token: str,
    with_key: bool,
    at: datetime,
    address: str | None,
    user: User | None = None,
    name: str = "",
    password: str = "",
) -> Confirmed:
    """Create the account of an onboarding request, with the caller's key or a new one.

    `user` is the logged-in owner of the address. If None, a person is created with `password`, which must be
    hashed. Raises SignupNotValid, WrongPerson if the address is somebody else's login, and AlreadyInAccount.
    """
    asked = find_onboarding(token=token, at=at)
    if asked is None:
        raise SignupNotValid

    def find_owner(asked: SignupRequest) -> User:
        if find_person(email=asked.email) != user:
            raise WrongPerson
        if user is None:
            return make_person(email=asked.email, at=at, password=password, name=name)
        if get_membership(user) is not None:
            raise AlreadyInAccount
        return user

    return _confirm(asked, find_owner, with_key=with_key, at=at, address=address)


def deny_onboarding(*, token: str) -> None:
    """Delete a request made by somebody else: its key never works. Safe to repeat."""
    SignupRequest.objects.filter(secret_hash=hash_token(token), source=Customer.SignupSource.API).delete()


@transaction.atomic
def _confirm(
    asked: SignupRequest,
    find_owner: Callable[[SignupRequest], User],
    *,
    with_key: bool,
    at: datetime,
    address: str | None,
) -> Confirmed:
    asked = _lock(asked)
    try:
        owner = find_owner(asked)
        customer = open_account(
            id=asked.pk,
            name=asked.name,
            email=asked.email,
            owner=owner,
            source=Customer.SignupSource(asked.source),
            at=at,
        )
        key = _give_key(asked, customer, owner, with_key=with_key, at=at, address=address)
    except IntegrityError as error:  # such as two concurrent signups with one GitHub login
        raise SignupNotValid from error
    end_requests(email=asked.email)
    return Confirmed(customer=customer, user=owner, key=key)


def end_requests(*, email: str) -> None:
    """Delete all requests for a confirmed address: their codes, links and keys stop working."""
    SignupRequest.objects.filter(email=email).delete()


def _lock(asked: SignupRequest) -> SignupRequest:
    """Lock all requests for the address, in one order.

    Only one of two concurrent confirmations can then succeed.
    """
    rivals = SignupRequest.objects.filter(email=asked.email).order_by("pk").select_for_update()
    locked = next((each for each in rivals if each.pk == asked.pk), None)
    if locked is None:
        raise SignupNotValid
    return locked


def _give_key(
    asked: SignupRequest,
    customer: Customer,
    owner: User,
    *,
    with_key: bool,
    at: datetime,
    address: str | None,
) -> NewApiKey | None:
    made = {"customer": customer, "name": FIRST_KEY, "created_by": owner, "at": at, "address": address}
    if not with_key:
        return create_api_key(**made)  # type: ignore[arg-type]
    adopt_api_key(prefix=asked.key_prefix, key_hash=asked.key_hash, **made)  # type: ignore[arg-type]
    return None
