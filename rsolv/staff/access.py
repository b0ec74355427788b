"""Access to the staff admin: what a user's session lacks, and where the user can make up for it."""

import time
from enum import Enum, auto
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext

from core.admin.reauthentication import list_records, redirect_to_reauthentication
from customers.services.staff_access import SECOND_FACTORS

SEEN_AT = "staff_seen_at"
# Update the session's time of last use at most this often, not for every page.
SEEN_PRECISION_SECONDS = 60


class Requirement(Enum):
    """A requirement of the staff admin that a user or their session does not meet."""

    STAFF = auto()
    FRESH_SESSION = auto()
    SECOND_STEP_SET_UP = auto()
    SECOND_STEP_USED = auto()


def find_missing_requirement(request: HttpRequest) -> Requirement | None:
    """Return the first requirement that is not met, or None if the staff admin is open. Changes nothing."""
    user: Any = request.user
    if not (user.is_active and user.is_staff):
        return Requirement.STAFF
    if _is_expired(request):
        return Requirement.FRESH_SESSION
    if not is_mfa_enabled(user, SECOND_FACTORS):
        return Requirement.SECOND_STEP_SET_UP
    if not any(record["method"] == "mfa" for record in list_records(request)):
        return Requirement.SECOND_STEP_USED
    return None


def redirect_to_fulfill(missing: Requirement, request: HttpRequest) -> HttpResponseRedirect:
    """Redirect to the page on which the user can meet the requirement. Logs an expired session out."""
    path = request.get_full_path()
    if missing is Requirement.FRESH_SESSION:
        logout(request)
    if missing in (Requirement.STAFF, Requirement.FRESH_SESSION):
        return redirect_to_login(path, reverse("admin:login"))
    if missing is Requirement.SECOND_STEP_SET_UP:
        words = gettext("Staff log in with two steps. Set up a passkey or an authenticator app first.")
        messages.warning(request, words)
        return HttpResponseRedirect(reverse("mfa_index"))
    return redirect_to_reauthentication(request)


def record_visit(request: HttpRequest) -> None:
    """Restart the session's idle timeout."""
    now = time.time()
    if now - request.session.get(SEEN_AT, 0) > SEEN_PRECISION_SECONDS:
        request.session[SEEN_AT] = now


def _is_expired(request: HttpRequest) -> bool:
    """Return whether the login is older than STAFF_SESSION_SECONDS, or idle for STAFF_IDLE_SECONDS."""
    records, now = list_records(request), time.time()
    if not records or now - records[0]["at"] > settings.STAFF_SESSION_SECONDS:
        return True
    seen_at: float = max(request.session.get(SEEN_AT, 0), records[-1]["at"])
    idle: int = settings.STAFF_IDLE_SECONDS
    return now - seen_at > idle
