"""Request signups. Until the owner of the address confirms it, only a request is stored."""

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

from .provision_customer import SignupRejected, check_address

CODE_VALID_FOR = timedelta(minutes=15)
LINK_VALID_FOR = timedelta(hours=24)
Source = Customer.SignupSource


class InvalidCompanyName(DomainError):
    code, status = "VALIDATION_FAILED", 422
    message = gettext_noop("Use the name of your company or team, without an address or a link.")

    def __init__(self) -> None:
        super().__init__(fields={"name": self.message})


@dataclass(frozen=True)
class Onboarding:
    """A request and its key, which exists only here and works once the request is confirmed."""

    request: SignupRequest
    raw: str


def check_name(name: str) -> str:
    """Return the company's name, stripped.

    Raises InvalidCompanyName if a mail program would turn it into a link.
    """
    if has_link(name):
        raise InvalidCompanyName
    return name.strip()


@transaction.atomic
def request_onboarding(*, name: str, email: str, at: datetime, address: str | None) -> Onboarding:
    """Store a request made without a browser, and mail a confirmation link to the address.

    Raises SignupRejected, also for an address in use, and InvalidCompanyName.
    """
    email, name = check_address(email), check_name(name)
    if is_address_taken(email=email):
        raise SignupRejected
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
        expires_at=at + LINK_VALID_FOR,
    )
    context = {"asked": made, "path": f"/onboarding/{token}/"}
    queue_mail("provisioning/mail/onboarding", to=email, context=context)
    _count(Source.API)
    return Onboarding(made, raw)


@transaction.atomic
def request_signup(
    *, name: str, email: str, source: Source, at: datetime, address: str | None, password: str = ""
) -> SignupRequest:
    """Store a request made in a browser, and mail a code to the address.

    An address in use gets the same response: no code can confirm its request, and the mail says that an
    account exists. The password is stored hashed and used only after the code is entered.
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
        expires_at=at + CODE_VALID_FOR,
    )
    if is_taken:
        get_adapter().send_account_already_exists_mail(email)
    else:
        get_adapter().send_mail("account/email/email_confirmation_signup", email, {"code": code})
    _count(source)
    return made


def hash_code(pk: str, code: str) -> str:
    """Return the keyed hash of a code. Codes are short, so an unkeyed hash could be reversed by guessing."""
    # People type the code in lower case, or with spaces and hyphens.
    plain = "".join(each for each in code.upper() if each.isalnum())
    return salted_hmac("signup-code", f"{pk}:{plain}", algorithm="sha256").hexdigest()


def _count(source: Source) -> None:
    transaction.on_commit(lambda: REQUESTS.labels(source=str(source)).inc())
