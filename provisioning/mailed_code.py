"""A code by mail, for people who have no password, passkey or second step to show who they are.

Only its keyed hash is in the session, for ten minutes and five tries. See
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

KEPT_AS = "reauthentication_code"
SECONDS = 600
MOST_TRIES = 5
SENDS = (
    Limit("reauthentication-codes", 5, seconds=3600),
    Limit("reauthentication-codes-day", 10, seconds=86400),
)
TRIES = Limit("reauthentication-tries", MOST_TRIES, seconds=SECONDS)


def find_address(user: User) -> str | None:
    """Where codes for a person go: the address they log in with if it is confirmed, else another that is."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    first = confirmed.first()
    return first.email if first else None


def send_code(request: HttpRequest, user: User) -> None:
    """Mail a new code; the one before it ends. Without a confirmed address, none. Raises RateLimited."""
    address = find_address(user)
    if address is None:
        return
    hit(*SENDS, caller=str(user.pk))
    code, nonce = f"{secrets.randbelow(10**6):06}", secrets.token_urlsafe(16)
    request.session[KEPT_AS] = {
        "nonce": nonce,
        "hash": _hash(user, nonce, code),
        "sent_at": time.time(),
        "tries": 0,
    }
    get_adapter().send_mail("account/email/reauthentication_code", address, {"code": code})


def is_code_sent(request: HttpRequest) -> bool:
    """Whether a code is on its way that may still be typed in."""
    kept = request.session.get(KEPT_AS)
    return kept is not None and 0 <= time.time() - kept["sent_at"] < SECONDS and kept["tries"] < MOST_TRIES


def take_code(request: HttpRequest, user: User, code: str) -> bool:
    """Whether this is the code, which works once. Each try counts, also those that are sent at once."""
    kept: dict[str, Any] | None = request.session.get(KEPT_AS)
    if kept is None or not is_code_sent(request):
        return False
    request.session[KEPT_AS] = kept | {"tries": kept["tries"] + 1}
    try:
        hit(TRIES, caller=kept["nonce"])
    except RateLimited:
        request.session.pop(KEPT_AS)
        return False
    is_right = constant_time_compare(kept["hash"], _hash(user, kept["nonce"], code))
    if is_right:
        request.session.pop(KEPT_AS)
    return is_right


def _hash(user: User, nonce: str, code: str) -> str:
    return salted_hmac("reauthentication-code", f"{user.pk}:{nonce}:{code}", algorithm="sha256").hexdigest()
