"""How a key that was just made reaches the page that shows it, once, without being stored by us.

It travels in an encrypted cookie that scripts cannot read, for ten minutes at the most, and is forgotten as
soon as a page has shown it. See docs/decisions/005-show-a-new-key-once.md and 022.
"""

import json

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core.encryption import get_cipher
from customers.models import User

COOKIE = "rsolv_new_key"
PURPOSE = "new-api-key"
SECONDS = 600


def keep_new_key(response: HttpResponse, raw: str, *, user: User) -> None:
    """Send the key along to the next page of this person's. Call it for a key that works already."""
    response.set_cookie(
        COOKIE,
        get_cipher(PURPOSE).encrypt(json.dumps([user.pk, raw]).encode()).decode(),
        max_age=SECONDS,
        path="/dashboard/",
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def take_new_key(request: HttpRequest, *, user: User) -> str | None:
    """The key on its way to this person, if there is one; not to whoever uses their browser next."""
    try:
        text = get_cipher(PURPOSE).decrypt(request.COOKIES.get(COOKIE, "").encode(), ttl=SECONDS)
    except (InvalidToken, UnicodeError):
        return None
    owner, raw = json.loads(text)
    return str(raw) if owner == user.pk else None


def forget_new_key(response: HttpResponse) -> None:
    response.delete_cookie(COOKIE, path="/dashboard/", samesite="Lax")
