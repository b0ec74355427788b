"""How a key that was just made reaches the page that shows it, once, without being stored by us.

It travels in a signed cookie that scripts cannot read, for ten minutes at the most, and is forgotten as
soon as a page has shown it. See docs/decisions/005-a-new-key-is-shown-once.md.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from customers.keys import generate_key
from customers.models import User

COOKIE = "rsolv_new_key"
SALT = "new-api-key"
SECONDS = 600


def keep_new_key(response: HttpResponse, raw: str, *, user: User) -> None:
    _keep(response, raw, salt=f"{SALT}-{user.pk}")


def keep_no_key(response: HttpResponse) -> None:
    """What looks the same and is no key: nobody learns from it that an address is in use."""
    _keep(response, generate_key(), salt=f"{SALT}-nobody")


def _keep(response: HttpResponse, raw: str, *, salt: str) -> None:
    response.set_signed_cookie(
        COOKIE,
        raw,
        salt=salt,
        max_age=SECONDS,
        path="/dashboard/",
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def take_new_key(request: HttpRequest, *, user: User) -> str | None:
    """The key on its way to this person, if there is one; not to whoever uses their browser next."""
    return request.get_signed_cookie(COOKIE, default=None, salt=f"{SALT}-{user.pk}", max_age=SECONDS)


def forget_new_key(response: HttpResponse) -> None:
    response.delete_cookie(COOKIE, path="/dashboard/", samesite="Lax")
