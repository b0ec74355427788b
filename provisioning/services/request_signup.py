"""Somebody asks for an account. Until the owner of the address confirms it, nothing is made but a request."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from allauth.account.adapter import get_adapter
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_noop

from core.errors import DomainError
from core.mail.queue import queue_mail
from customers import keys
from customers.display_names import has_link
from customers.models import Customer
from customers.selectors import is_address_taken
from customers.services.invite_member import hash_token
from provisioning.metrics import REQUESTS
from provisioning.models import SignupRequest

from .provision_customer import SignupRefused, check_address

CODE_GOOD_FOR = timedelta(minutes=15)
LINK_GOOD_FOR = timedelta(hours=24)
Source = Customer.SignupSource


class NameRefused(DomainError):
    code, status = "VALIDATION_FAILED", 422
    message = gettext_noop("Use the name of your company or team, without an address or a link in it.")

    def __init__(self) -> None:
        super().__init__(fields={"name": self.message})


@dataclass(frozen=True)
class Onboarding:
    """A request, and the key for its caller: it works once the request is confirmed, and exists only here."""

    request: SignupRequest
    raw: str


def check_name(name: str) -> str:
    """A company's name as it is kept. Raises NameRefused for one that would be a link in a mail."""
    if has_link(name):
        raise NameRefused
    return name.strip()


@transaction.atomic
def request_onboarding(*, name: str, email: str, at: datetime, address: str | None) -> Onboarding:
    """Keep a request that came without a browser, and mail its link to the address: one mail, nothing else.

    Raises SignupRefused, also for an address in use, and NameRefused.
    """
    email, name = check_address(email), check_name(name)
    if is_address_taken(email=email):
        raise SignupRefused
    raw, token = keys.generate_key(), secrets.token_urlsafe(32)
    made = SignupRequest.objects.create(
        source=Source.API,
        name=name,
        email=email,
        secret_hash=hash_token(token),
        key_prefix=raw[: keys.VISIBLE_CHARACTERS],
        key_hash=keys.hash_key(raw),
        asked_from=address,
        created_at=at,
        expires_at=at + LINK_GOOD_FOR,
    )
    context = {"asked": made, "path": f"/onboarding/{token}/"}
    queue_mail("provisioning/mail/onboarding", to=email, context=context)
    _count(Source.API)
    return Onboarding(made, raw)


@transaction.atomic
def request_signup(
    *, name: str, email: str, source: Source, at: datetime, address: str | None, password: str = ""
) -> SignupRequest:
    """Keep a request that came from a browser, and mail a code to the address.

    An address in use is treated alike: its request can be confirmed by no code, and the mail says that there
    is an account. The password is kept hashed and counts only once the code is typed in.
    """
    code, pk = get_adapter().generate_email_verification_code(), uuid4()
    is_taken = is_address_taken(email=email)
    made = SignupRequest.objects.create(
        pk=pk,
        source=source,
        name=name,
        email=email,
        secret_hash=hash_code(str(pk), secrets.token_urlsafe(32) if is_taken else code),
        password=make_password(password) if password else "",
        asked_from=address,
        created_at=at,
        expires_at=at + CODE_GOOD_FOR,
    )
    if is_taken:
        get_adapter().send_account_already_exists_mail(email)
    else:
        get_adapter().send_mail("account/email/email_confirmation_signup", email, {"code": code})
    _count(source)
    return made


def hash_code(pk: str, code: str) -> str:
    """A code is short: without our secret, its hash must not be guessed back."""
    plain = "".join(each for each in code.upper() if each.isalnum())
    return salted_hmac("signup-code", f"{pk}:{plain}", algorithm="sha256").hexdigest()


def _count(source: Source) -> None:
    transaction.on_commit(lambda: REQUESTS.labels(source=str(source)).inc())
