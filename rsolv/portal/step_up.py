"""Reauthentication before sensitive actions, where the last login or proof is some minutes old.

A stolen session, or an unlocked machine, must not create keys, invite people or export data. Actions that
only limit damage (revoking a key or an invitation, ending sessions) never ask. Every route that changes
something is either here or in the list of exempt routes in tests/rsolv/portal/test_step_up.py.
"""

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from core.http.htmx import is_htmx
from core.http.suspended_request import SAFE_METHODS, drop_suspended_request, suspend_request
from customers.recent_login import is_login_recent

# Routes whose POST asks, with the page of their form. The POST is replayed after reauthentication.
ASK_ON_CHANGE = {
    "keys": "keys",
    "key-rotate": "keys",
    "team-invite": "team",
    "invitation-resend": "team",
    "team-role": "team",
    "team-remove": "team",
    "team-transfer": "team",
    "team-leave": "team",
    "settings-export": "settings",
    "billing-change": "billing-change",
    "billing-cancel": "billing-cancel",
    "billing-resume": "billing",
    "billing-portal": "billing",
    "billing-cap": "billing-cap",
    "account_email": "account_email",
    "socialaccount_connections": "socialaccount_connections",
    "github_login": "socialaccount_connections",
}
# Routes whose GET asks too: downloads, and forms whose content must not be stored in a session.
ASK_AT_ONCE = frozenset(
    {
        "settings-close",
        "audit-log-export",
        "account_set_password",
        "mfa_activate_totp",
        "mfa_deactivate_totp",
        "mfa_add_webauthn",
        "mfa_edit_webauthn",
        "mfa_remove_webauthn",
        "mfa_generate_recovery_codes",
        "mfa_view_recovery_codes",
        "mfa_download_recovery_codes",
    }
)
PENDING_PATH_KEY = "step_up_path"
# A session is one row, read by every request of its owner.
MAX_SUSPENDED_CHARS = 20_000


class StepUpMiddleware:
    """Redirect to reauthentication before a sensitive view runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Check the route. Runs after the CSRF check and before the view."""
        match = request.resolver_match
        name = (match and match.url_name) or ""
        # allauth's GitHub view shows a page only for GET: every other method, HEAD too, redirects to GitHub.
        is_change = request.method not in (("GET",) if name == "github_login" else SAFE_METHODS)
        if name not in ASK_AT_ONCE and name not in ASK_ON_CHANGE or not request.user.is_authenticated:
            return None
        # allauth replays a suspended POST by calling its view.
        # Where that POST is lost, it redirects here with a GET.
        if name in ASK_ON_CHANGE and not is_change:
            return _redirect_to_form(request, ASK_ON_CHANGE[name])
        if is_login_recent(request):
            return None
        return _ask_at_once(request) if name in ASK_AT_ONCE else _suspend(request, ASK_ON_CHANGE[name])


def _ask_at_once(request: HttpRequest) -> HttpResponseBase:
    drop_suspended_request(request)
    if request.method not in SAFE_METHODS:
        messages.info(request, _("Nothing was changed yet. Send the form again."))
    return _ask(request, request.get_full_path())


def _suspend(request: HttpRequest, form_page: str) -> HttpResponseBase:
    """Store the POST, ask, and replay it afterward. A POST too long for a session must be sent again."""
    if is_htmx(request) or len(request.POST.urlencode()) > MAX_SUSPENDED_CHARS:
        messages.info(request, _("Nothing was changed yet. Send the form again."))
        drop_suspended_request(request)
        return _ask(request, resolve_url(form_page))
    request.session[PENDING_PATH_KEY] = request.path
    suspend_request(request)
    return _ask(request, request.path)


def _redirect_to_form(request: HttpRequest, form_page: str) -> HttpResponseBase | None:
    """Redirect to the form where the suspended POST is lost: another tab has replaced it meanwhile."""
    if request.session.get(PENDING_PATH_KEY) != request.path:
        return None
    del request.session[PENDING_PATH_KEY]
    if request.path == resolve_url(form_page):
        return None
    messages.info(request, _("Nothing was changed yet. Send the form again."))
    return redirect(form_page)


def _ask(request: HttpRequest, next_path: str) -> HttpResponseBase:
    """Redirect to reauthentication; for a request by htmx, redirect the whole page and not its part."""
    url = f"{_find_reauthentication_url(request)}?{urlencode({'next': next_path})}"
    return HttpResponse(headers={"HX-Redirect": url}) if is_htmx(request) else redirect(url)


def _find_reauthentication_url(request: HttpRequest) -> str:
    methods: list[dict[str, str]] = get_adapter().get_reauthentication_methods(request.user)
    return methods[0]["url"]
