"""The page that an onboarding mail's link opens."""

from typing import Any

from allauth.account.utils import complete_signup
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.api.errors import RateLimited
from core.api.limiter import Limit
from core.api.throttling import find_address, find_ip, hit
from core.error_messages import translate_error
from core.errors import DomainError
from customers.forms import JoinForm
from customers.models import User
from customers.selectors import find_person, get_membership
from provisioning.key_reveal import set_new_key_cookie
from provisioning.models import SignupRequest
from provisioning.services.confirm_signup import (
    Confirmed,
    SignupNotValid,
    confirm_onboarding,
    deny_onboarding,
    find_onboarding,
)

BY_ADDRESS = Limit("onboarding-link", 60, seconds=3600)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def answer_onboarding(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show who requested the account, when and from where, with three answers by POST.

    GET changes nothing, because mail scanners open links.
    """
    try:
        # Before the lookup, so that tokens cannot be guessed in bulk.
        hit(BY_ADDRESS, caller=find_address(request))
    except RateLimited:
        return render(request, "429.html", status=429)
    asked = find_onboarding(token=token, at=timezone.now())
    if asked is None:
        return _show_over(request)
    if request.method == "POST" and request.POST.get("answer") == "deny":
        deny_onboarding(token=token)
        return render(request, "provisioning/onboarding_denied.html", {"asked": asked})
    user = request.user if isinstance(request.user, User) else None
    if find_person(email=asked.email) != user:
        return _show(request, asked, must_log_in=user is None, must_log_out=user is not None)
    if user is not None and get_membership(user) is not None:
        return _show(request, asked, is_placed=True)
    return _answer(request, asked, token, user)


def _answer(request: HttpRequest, asked: SignupRequest, token: str, user: User | None) -> HttpResponseBase:
    form = None if user else JoinForm(request.POST or None, email=asked.email)
    if request.method != "POST" or (form is not None and not form.is_valid()):
        return _show(request, asked, form=form)
    try:
        made = confirm_onboarding(
            token=token,
            with_key=request.POST.get("answer") == "activate",
            at=timezone.now(),
            address=find_ip(request),
            user=user,
            name=form.cleaned_data["name"] if form else "",
            password=make_password(form.cleaned_data["password"]) if form else "",
        )
    except SignupNotValid:
        return _show_over(request)
    except DomainError as error:
        messages.error(request, translate_error(error))
        return _show(request, asked, form=form, status=error.status)
    return _enter(request, made, is_new=user is None)


def _enter(request: HttpRequest, made: Confirmed, *, is_new: bool) -> HttpResponse:
    response: HttpResponse = (
        complete_signup(request, made.user, None, None) if is_new else redirect("dashboard")
    )
    if made.key is not None:
        set_new_key_cookie(response, made.key.raw, user=made.user)
    else:
        messages.success(request, _("The API key you were given is now active."))
    return response


def _show(request: HttpRequest, asked: SignupRequest, *, status: int = 200, **context: Any) -> HttpResponse:
    form = context.get("form")
    has_errors = form is not None and bool(form.errors)
    return render(
        request,
        "provisioning/onboarding.html",
        {"asked": asked, **context},
        status=422 if has_errors else status,
    )


def _show_over(request: HttpRequest) -> HttpResponse:
    return render(request, "provisioning/onboarding_over.html", status=410)
