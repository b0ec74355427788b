"""Show a new API key once without storing it.

The key is carried to the next page in an encrypted HttpOnly cookie that lasts at most ten minutes and is
deleted as soon as a page has shown it. See docs/decisions/005-show-a-new-key-once.md and 022.
"""

import json

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core.encryption import get_cipher
from customers.models import User

COOKIE = "rsolv_new_key"
PURPOSE = "new-api-key"
MAX_AGE_SECONDS = 600


def set_new_key_cookie(response: HttpResponse, raw: str, *, user: User) -> None:
    """Send the key to this person's next page. Call it only for a key that already works."""
    response.set_cookie(
        COOKIE,
        get_cipher(PURPOSE).encrypt(json.dumps([user.pk, raw]).encode()).decode(),
        max_age=MAX_AGE_SECONDS,
        path="/dashboard/",
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def read_new_key_cookie(request: HttpRequest, *, user: User) -> str | None:
    """Return the key in the request's cookie, or None.

    It is only shown to this person, not to the browser's next user.
    """
    try:
        text = get_cipher(PURPOSE).decrypt(request.COOKIES.get(COOKIE, "").encode(), ttl=MAX_AGE_SECONDS)
    except (InvalidToken, UnicodeError):
        return None
    owner, raw = json.loads(text)
    return str(raw) if owner == user.pk else None


def delete_new_key_cookie(response: HttpResponse) -> None:
    response.delete_cookie(COOKIE, path="/dashboard/", samesite="Lax")
