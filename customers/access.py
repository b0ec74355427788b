"""Access control of the portal's pages, by the user's membership in a customer."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from core.http.client_ip import get_client_ip
from core.http.user_agents import describe_browser

from .models import Membership, User
from .origin import Origin
from .selectors import get_membership

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
MemberView = Callable[Concatenate[HttpRequest, Membership, P], HttpResponseBase]


def find_origin(request: HttpRequest) -> Origin:
    """Return a request's address and browser, for the audit log."""
    device = describe_browser(request.headers.get("User-Agent", ""))
    return {"address": get_client_ip(request), "device": device}


def may_manage(membership: Membership) -> bool:
    """Return whether the member's role permits managing the account. For `may` of `member_page`."""
    return membership.may_manage


def member_page(
    may: Callable[[Membership], bool] = lambda membership: True,
) -> Callable[[MemberView[P]], View[P]]:
    """Restrict a view to members of a customer. The view gets the membership, with its customer loaded.

    Anonymous users are redirected to log in, users without a customer to the dashboard, which explains it. A
    member for whom `may` returns False gets 403.
    """

    def decorate(view: MemberView[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            assert isinstance(request.user, User)
            membership = get_membership(request.user)
            if membership is None:
                return redirect("dashboard")
            request.membership = membership  # type: ignore[attr-defined]
            if not may(membership):
                raise PermissionDenied
            return view(request, membership, *args, **kwargs)

        guard: Any = login_required(never_cache(guarded))
        return guard  # type: ignore[no-any-return]

    return decorate
