"""The owner of an address confirms a signup: now the account is made, and every other request ends."""

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

MOST_ATTEMPTS = 3


class SignupOver(DomainError):
    code, status = "SIGNUP_OVER", 410
    message = gettext_noop("This signup was confirmed, taken back or is too old. Sign up again.")


class WrongCode(DomainError):
    code, status = "WRONG_CODE", 422
    message = gettext_noop("This is not the code of our last mail. Look at it again.")


class WrongPerson(DomainError):
    code, status = "WRONG_PERSON", 409
    message = gettext_noop(
        "Confirm it logged in as the owner of this address, or logged out where it has no login yet."
    )


class InAnAccount(DomainError):
    code, status = "IN_AN_ACCOUNT", 409
    message = gettext_noop(
        "You are in an account already. Leave or close it first, or take the request back."
    )


@dataclass(frozen=True)
class Confirmed:
    """What was made. `key` is None where the key that was handed out before works from now on."""

    customer: Customer
    user: User
    key: NewApiKey | None


def find_onboarding(*, token: str, at: datetime) -> SignupRequest | None:
    """The request that this link still opens. Changes nothing."""
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
    """Make the account of a request whose code was typed in. It works once, three attempts are given.

    `sign_up` makes the person of a confirmed address where a password is not what they log in with.
    Raises WrongCode, and SignupOver where there is nothing left to confirm.
    """
    guess = hash_code(str(request_id), code)
    tried = SignupRequest.objects.filter(pk=request_id, attempts__lt=MOST_ATTEMPTS, expires_at__gt=at)
    if not tried.update(attempts=F("attempts") + 1):
        raise SignupOver
    asked = SignupRequest.objects.filter(pk=request_id).first()
    if asked is None:
        raise SignupOver
    if not constant_time_compare(asked.secret_hash, guess):
        raise WrongCode if asked.attempts < MOST_ATTEMPTS else SignupOver

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
    """Make the account of an onboarding for the owner of the address, with the caller's key or a new one.

    `user` is who is logged in. Without one a person is made, whose hashed password is given. Raises
    SignupOver, WrongPerson where the address is another's login, and InAnAccount.
    """
    asked = find_onboarding(token=token, at=at)
    if asked is None:
        raise SignupOver

    def find_owner(asked: SignupRequest) -> User:
        if find_person(email=asked.email) != user:
            raise WrongPerson
        if user is None:
            return make_person(email=asked.email, at=at, password=password, name=name)
        if get_membership(user) is not None:
            raise InAnAccount
        return user

    return _confirm(asked, find_owner, with_key=with_key, at=at, address=address)


def deny_onboarding(*, token: str) -> None:
    """It was somebody else: the request ends, and its key never works. Repeating it changes nothing."""
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
    except IntegrityError as error:  # the same GitHub login twice at once, say
        raise SignupOver from error
    end_requests(email=asked.email)
    return Confirmed(customer=customer, user=owner, key=key)


def end_requests(*, email: str) -> None:
    """End what waits for an address that is confirmed by now: no code, link or key of it works any more."""
    SignupRequest.objects.filter(email=email).delete()


def _lock(asked: SignupRequest) -> SignupRequest:
    """All requests of the address, in one order: of two that are confirmed at once, one is."""
    rivals = SignupRequest.objects.filter(email=asked.email).order_by("pk").select_for_update()
    locked = next((each for each in rivals if each.pk == asked.pk), None)
    if locked is None:
        raise SignupOver
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
