"""Reauthentication by a mailed code, for people without a password, passkey or second factor.

The session holds only the code's keyed hash, for ten minutes and five attempts. See
docs/decisions/023-reauthenticate-for-sensitive-changes.md.
"""

import secrets
import time
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from core.api.errors import RateLimited
from core.api.limiter import Limit
from core.api.throttling import hit
from customers.models import User

SESSION_KEY = "reauthentication_code"
VALID_SECONDS = 600
MAX_ATTEMPTS = 5
SENDS = (
    Limit("reauthentication-codes", 5, seconds=3600),
    Limit("reauthentication-codes-day", 10, seconds=86400),
)
ATTEMPTS = Limit("reauthentication-tries", MAX_ATTEMPTS, seconds=VALID_SECONDS)


def find_address(user: User) -> str | None:
    """Return the address for a person's codes: their login if it is confirmed, else another confirmed one.

    None if there is no confirmed address.
    """
    confirmed = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    first = confirmed.first()
    return first.email if first else None


def send_code(request: HttpRequest, user: User) -> None:
    """Mail a new code, which replaces the previous one. Raises RateLimited.

    Does nothing for a person without a confirmed address.
    """
    address = find_address(user)
    if address is None:
        return
    hit(*SENDS, caller=str(user.pk))
    code, nonce = f"{secrets.randbelow(10**6):06}", secrets.token_urlsafe(16)
    request.session[SESSION_KEY] = {
        "nonce": nonce,
        "hash": _hash(user, nonce, code),
        "sent_at": time.time(),
        "tries": 0,
    }
    get_adapter().send_mail("account/email/reauthentication_code", address, {"code": code})


def is_code_sent(request: HttpRequest) -> bool:
    """Return whether a code was sent that can still be entered."""
    kept = request.session.get(SESSION_KEY)
    return (
        kept is not None
        and 0 <= time.time() - kept["sent_at"] < VALID_SECONDS
        and kept["tries"] < MAX_ATTEMPTS
    )


def use_code(request: HttpRequest, user: User, code: str) -> bool:
    """Check the code, which works once. Every attempt counts.

    Attempts are counted in the limiter as well as in the session: concurrent requests read the same session.
    """
    kept: dict[str, Any] | None = request.session.get(SESSION_KEY)
    if kept is None or not is_code_sent(request):
        return False
    request.session[SESSION_KEY] = kept | {"tries": kept["tries"] + 1}
    try:
        hit(ATTEMPTS, caller=kept["nonce"])
    except RateLimited:
        request.session.pop(SESSION_KEY)
        return False
    is_right = constant_time_compare(kept["hash"], _hash(user, kept["nonce"], code))
    if is_right:
        request.session.pop(SESSION_KEY)
    return is_right


def _hash(user: User, nonce: str, code: str) -> str:
    return salted_hmac("reauthentication-code", f"{user.pk}:{nonce}:{code}", algorithm="sha256").hexdigest()
