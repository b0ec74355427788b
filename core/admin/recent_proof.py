"""Whether staff have proven recently who they are, and the page where they do it again."""

import time
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.http import urlencode

from core.http.suspended_request import SAFE_METHODS, drop_suspended_request, suspend_request


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person has shown lately who they are: by two steps at login, or when asked again."""
    shown = [r["at"] for r in list_records(request) if r.get("reauthenticated") or r["method"] == "mfa"]
    return bool(shown) and time.time() - max(shown) < settings.STAFF_ASK_AGAIN_SECONDS


def ask_again(request: HttpRequest) -> HttpResponseRedirect:
    """Redirect to a page that asks for proof, a second step first. A change is kept and runs afterwards.

    As allauth suspends a request, and with a query string too.
    """
    path = request.get_full_path()
    if request.method in SAFE_METHODS:
        drop_suspended_request(request)
    else:
        path = request.path  # the query is kept with the request
        suspend_request(request)
    methods = get_adapter().get_reauthentication_methods(request.user)
    ways = sorted(methods, key=lambda method: not method["id"].startswith("mfa"))
    return HttpResponseRedirect(f"{ways[0]['url']}?{urlencode({'next': path})}")


def list_records(request: HttpRequest) -> list[dict[str, Any]]:
    """What this session has proven since its login, the earliest first, as allauth keeps it."""
    user: Any = request.user
    records: list[dict[str, Any]] = get_authentication_records(request, user)
    return records
