"""Staff users with a browser, signed in with two factors as required."""

import time
from collections.abc import Iterable
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db.models import Model
from django.test import Client

from customers.models import User
from tests.factories import UserFactory

SECRET = "JBSWY3DPEHPK3PXP"
# dj-stripe's 40 pages are one class of ours, except that of triggers: most tests open these four.
SAMPLED = {f"djstripe.{each}" for each in ("customer", "invoice", "webhookendpoint", "webhookeventtrigger")}


class StaffBrowser(Client):
    user: User


def is_sampled(model: type[Model]) -> bool:
    return model._meta.app_label != "djstripe" or model._meta.label_lower in SAMPLED


def give_second_step(user: User) -> Authenticator:
    step: Authenticator = TOTP.activate(user, SECRET).instance
    return step


def compute_code() -> str:
    """Return the current TOTP code, and clear the cache of used codes."""
    cache.clear()
    return str(format_hotp_value(hotp_value(SECRET, next(iter(yield_hotp_counters_from_time())))))


def make_staff(*permissions: str, **fields: Any) -> User:
    """Create a staff user with a second factor. Permissions: `customers.view_user`, or `view_*` of all."""
    user = UserFactory(is_staff=True, **fields)
    user.user_permissions.set(find_permissions(permissions))
    give_second_step(user)
    return user


def find_permissions(names: Iterable[str]) -> list[Permission]:
    found = []
    for name in names:
        app, _, codename = name.rpartition(".")
        rows = Permission.objects.filter(codename__startswith=codename.rstrip("*"))
        rows = rows.filter(content_type__app_label=app) if app else rows
        found += [row for row in rows if codename.endswith("*") or row.codename == codename]
    return found


def open_staff_browser(user: User, **options: Any) -> StaffBrowser:
    """Return a browser in which the user has just signed in with two factors."""
    browser = StaffBrowser(**options)
    browser.force_login(user)
    browser.user = user
    show_two_steps(browser)
    return browser


def show_two_steps(
    browser: Client, *, seconds_ago: float = 0, steps: tuple[str, ...] = ("password", "mfa")
) -> None:
    """Record in the session that its user passed these steps, so many seconds ago."""
    at = time.time() - seconds_ago
    session = browser.session
    session["account_authentication_methods"] = [{"method": step, "at": at} for step in steps]
    session["account_authentication_methods_user"] = session["_auth_user_id"]
    session["staff_seen_at"] = at
    session.save()
