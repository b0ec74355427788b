"""The page that an invitation's link opens."""

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.api.errors import RateLimited
from core.api.limiter import Limit
from core.api.throttling import find_address, hit
from core.error_messages import translate_error
from core.errors import DomainError
from customers import selectors
from customers.access import find_origin
from customers.forms import JoinForm
from customers.models import Invitation, User
from customers.services.accept_invitation import accept_invitation, find_invited, sign_up_invited
from customers.services.invite_member import hash_token

BY_ADDRESS = Limit("invitation", 60, seconds=3600)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def answer_invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show an invitation, and accept it: by a button, after a login, or by signing up with a password."""
    try:
        # Before the lookup, so that tokens cannot be guessed in bulk.
        hit(BY_ADDRESS, caller=find_address(request))
    except RateLimited:
        return render(request, "429.html", status=429)
    invitation = selectors.find_invitation(token_hash=hash_token(token), at=timezone.now())
    if invitation is None:
        return render(request, "customers/invitation_over.html", status=410)
    if isinstance(request.user, User):
        return _join(request, request.user, invitation, token)
    if find_invited(invitation) is not None:
        return render(request, "customers/invitation.html", {"invitation": invitation, "must_log_in": True})
    return _sign_up(request, invitation, token)


def _join(request: HttpRequest, user: User, invitation: Invitation, token: str) -> HttpResponse:
    context = {
        "invitation": invitation,
        "is_theirs": selectors.has_address(user=user, email=invitation.email),
    }
    if request.method != "POST":
        return render(request, "customers/invitation.html", context)
    try:
        accept_invitation(token=token, user=user, at=timezone.now(), **find_origin(request))
    except DomainError as error:
        messages.error(request, translate_error(error))
        return render(request, "customers/invitation.html", context, status=error.status)
    messages.success(request, _("Welcome to %(customer)s.") % {"customer": invitation.customer.name})
    return redirect("dashboard")


def _sign_up(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponseBase:
    form = JoinForm(request.POST if request.method == "POST" else None, email=invitation.email)
    if not (form.is_bound and form.is_valid()):
        context = {"invitation": invitation, "form": form}
        return render(request, "customers/invitation.html", context, status=422 if form.errors else 200)
    try:
        user = sign_up_invited(token=token, **form.cleaned_data, at=timezone.now(), **find_origin(request))
    except DomainError:  # accepted, revoked or expired meanwhile
        return render(request, "customers/invitation_over.html", status=410)
    response: HttpResponseBase = perform_login(request, user)
    return response
