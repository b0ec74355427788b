"""API rate limits per customer, or per address for requests without a key."""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.api.limiter import Limit
from core.api.throttling import find_address, find_scope, hit
from customers.principals import ApiPrincipal


class CustomerThrottle(BaseThrottle):
    """Apply the overall limit of the customer, or of the address if the view requires no key.

    A view with a `rate_scope`, one of SCOPES, has a limit of its own in addition.
    """

    def allow_request(self, request: Any, view: Any) -> bool:
        limits = [_find_overall(request)]
        if (scope := getattr(view, "rate_scope", None)) is not None:
            limits.append(_find_own(request, scope))
        caller = str(request.auth.customer_id) if request.auth else find_address(request)
        request.rate_limit_status = hit(*limits, caller=caller, is_customer=bool(request.auth))
        return True


def _find_overall(request: Request) -> Limit:
    given = request.auth.requests_per_minute if isinstance(request.auth, ApiPrincipal) else None
    return Limit("api", given or settings.API_REQUESTS_PER_MINUTE)


def _find_own(request: Request, name: str) -> Limit:
    scope, given = find_scope(name), None
    if scope.of_caller is not None and isinstance(request.auth, ApiPrincipal):
        given = getattr(request.auth, scope.of_caller)
    return Limit(name, given or getattr(settings, scope.setting))
