"""Reauthentication of staff: has it happened recently, and if not, which page asks for it."""

import time
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.http import urlencode

from core.http.suspended_request import SAFE_METHODS, drop_suspended_request, suspend_request


def is_recently_authenticated(request: HttpRequest) -> bool:
    """Return whether the user passed two-factor login or reauthenticated recently.

    Recently means less than STAFF_ASK_AGAIN_SECONDS ago.
    """
    times = [r["at"] for r in list_records(request) if r.get("reauthenticated") or r["method"] == "mfa"]
    return bool(times) and time.time() - max(times) < settings.STAFF_ASK_AGAIN_SECONDS


def redirect_to_reauthentication(request: HttpRequest) -> HttpResponseRedirect:
    """Redirect to the page that asks the user to reauthenticate, with a second factor if there is one.

    A request that changes something is suspended in the session and runs afterwards, as allauth does, but
    including its query string.
    """
    path = request.get_full_path()
    if request.method in SAFE_METHODS:
        drop_suspended_request(request)
    else:
        path = request.path  # the suspended request holds the query
        suspend_request(request)
    methods = get_adapter().get_reauthentication_methods(request.user)
    methods_by_preference = sorted(methods, key=lambda method: not method["id"].startswith("mfa"))
    return HttpResponseRedirect(f"{methods_by_preference[0]['url']}?{urlencode({'next': path})}")


def list_records(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what the user has authenticated with in this session, oldest first, in allauth's format."""
    user: Any = request.user
    records: list[dict[str, Any]] = get_authentication_records(request, user)
    return records
