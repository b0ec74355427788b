"""Who may open a page of the staff admin: what their session has proven, and how long ago."""

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
# How exact the idle time is: the session is not written for every page.
SEEN_PRECISION_SECONDS = 60


class Barrier(Enum):
    """What stands between a person and the staff admin."""

    NOT_STAFF = auto()
    SESSION_OVER = auto()
    NO_SECOND_STEP = auto()
    SECOND_STEP_NOT_SHOWN = auto()


def find_barrier(request: HttpRequest) -> Barrier | None:
    """What the person must do before any page of the staff admin opens; None: nothing. Changes nothing."""
    user: Any = request.user
    if not (user.is_active and user.is_staff):
        return Barrier.NOT_STAFF
    if _is_over(request):
        return Barrier.SESSION_OVER
    if not is_mfa_enabled(user, SECOND_FACTORS):
        return Barrier.NO_SECOND_STEP
    if not any(record["method"] == "mfa" for record in list_records(request)):
        return Barrier.SECOND_STEP_NOT_SHOWN
    return None


def lead_past(barrier: Barrier, request: HttpRequest) -> HttpResponseRedirect:
    """Where the person does what the barrier asks for. A session that is over ends here."""
    path = request.get_full_path()
    if barrier is Barrier.SESSION_OVER:
        logout(request)
    if barrier in (Barrier.NOT_STAFF, Barrier.SESSION_OVER):
        return redirect_to_login(path, reverse("admin:login"))
    if barrier is Barrier.NO_SECOND_STEP:
        words = gettext("Staff log in with two steps. Set up a passkey or an authenticator app first.")
        messages.warning(request, words)
        return HttpResponseRedirect(reverse("mfa_index"))
    return redirect_to_reauthentication(request)


def record_visit(request: HttpRequest) -> None:
    """Begin the idle time again."""
    now = time.time()
    if now - request.session.get(SEEN_AT, 0) > SEEN_PRECISION_SECONDS:
        request.session[SEEN_AT] = now


def _is_over(request: HttpRequest) -> bool:
    records, now = list_records(request), time.time()
    if not records or now - records[0]["at"] > settings.STAFF_SESSION_SECONDS:
        return True
    seen_at: float = max(request.session.get(SEEN_AT, 0), records[-1]["at"])
    idle: int = settings.STAFF_IDLE_SECONDS
    return now - seen_at > idle
