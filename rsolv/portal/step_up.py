"""Which pages ask for the password, passkey or code again, once that was some minutes ago.

A stolen session, or an unlocked machine, must not make keys, invite people or take data along. What only
stops harm (revoking a key or an invitation, ending sessions) never asks. Every route that changes something
is either here or in the list of those that do not ask, in tests/rsolv/portal/test_step_up.py.
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

# Routes whose POST asks, with the page that has their form. What was sent is carried out after the answer.
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
# Routes that ask when they are opened: downloads, and forms whose content must not wait in a session.
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
WAITS_FOR = "step_up_path"
MOST_KEPT = 20_000


class StepUpMiddleware:
    """Leads to the question of who somebody is before a sensitive route is reached."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """After the form's token was checked, and before anything of the view runs."""
        match = request.resolver_match
        name = (match and match.url_name) or ""
        # Allauth's page of GitHub stops a GET alone: every other method would go on to GitHub.
        is_change = request.method not in (("GET",) if name == "github_login" else SAFE_METHODS)
        if name not in ASK_AT_ONCE and name not in ASK_ON_CHANGE or not request.user.is_authenticated:
            return None
        if name in ASK_ON_CHANGE and not is_change:
            return _lead_back(request, ASK_ON_CHANGE[name])
        if is_login_recent(request):
            return None
        return _ask_at_once(request) if name in ASK_AT_ONCE else _suspend(request, ASK_ON_CHANGE[name])


def _ask_at_once(request: HttpRequest) -> HttpResponseBase:
    drop_suspended_request(request)
    if request.method not in SAFE_METHODS:
        messages.info(request, _("Nothing was changed yet. Send the form again."))
    return _ask(request, request.get_full_path())


def _suspend(request: HttpRequest, form_page: str) -> HttpResponseBase:
    """Ask, and carry out after it what was sent. What is too long to be kept must be sent again."""
    if is_htmx(request) or len(request.POST.urlencode()) > MOST_KEPT:
        messages.info(request, _("Nothing was changed yet. Send the form again."))
        drop_suspended_request(request)
        return _ask(request, resolve_url(form_page))
    request.session[WAITS_FOR] = request.path
    suspend_request(request)
    return _ask(request, request.path)


def _lead_back(request: HttpRequest, form_page: str) -> HttpResponseBase | None:
    """Somebody answered the question, but what they had sent is lost: another tab asked meanwhile."""
    if request.session.get(WAITS_FOR) != request.path:
        return None
    del request.session[WAITS_FOR]
    if request.path == resolve_url(form_page):
        return None
    messages.info(request, _("Nothing was changed yet. Send the form again."))
    return redirect(form_page)


def _ask(request: HttpRequest, next_path: str) -> HttpResponseBase:
    """A part of a page that fetches itself leads the whole page to the question."""
    question = f"{_find_question(request)}?{urlencode({'next': next_path})}"
    return HttpResponse(headers={"HX-Redirect": question}) if is_htmx(request) else redirect(question)


def _find_question(request: HttpRequest) -> str:
    methods: list[dict[str, str]] = get_adapter().get_reauthentication_methods(request.user)
    return methods[0]["url"]
