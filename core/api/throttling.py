"""Who may come how often. While the limiter's store is unavailable, that is counted, customers' requests
pass, and all other limits hold for each process by itself.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.api import limiter
from core.api.errors import RateLimited, Standing
from core.api.limiter import Count, Limit
from core.api.metrics import LIMITER_REFUSALS, LIMITER_UNAVAILABLE
from core.http.client_ip import get_client_ip, get_client_network
from core.redis.client import RedisAway
from customers.callers import Caller

# What a refusal by each limit is called: of the overall limit, and of an endpoint's own.
OVERALL, OWN = "RATE_LIMIT_EXCEEDED", "RATE_LIMITED"


@dataclass(frozen=True)
class Scope:
    """Where the limit of a `rate_scope` is declared: a setting, and what the caller's own may be called."""

    setting: str
    of_caller: str | None = None


# Each scope that a view may name. A view that names another fails at start.
SCOPES = {
    "test-integration": Scope("API_TEST_INTEGRATION_PER_MINUTE", of_caller="test_integration_per_minute"),
}


def hit(
    *limits: Limit, caller: str, codes: tuple[str, ...] = (OVERALL, OWN), is_customer: bool = False
) -> Standing:
    """Count one against each and return where the caller stands with the last. Raises RateLimited.

    All in one round trip. A request that one limit refuses is not counted against those after it. While the
    store is unavailable, customers pass; who guesses keys or signs up by the dozen is counted here.
    """
    try:
        counts = limiter.add(limits, caller)
    except RedisAway:
        LIMITER_UNAVAILABLE.inc()
        counts = [_count_none(limits[-1])] if is_customer else limiter.add_in_process(limits, caller)
    last = counts[-1]
    if last.is_over:
        code = codes[len(counts) - 1]
        LIMITER_REFUSALS.labels(code=code).inc()
        raise RateLimited(_to_standing(last), code=code)
    return _to_standing(last)


class CustomerThrottle(BaseThrottle):
    """The overall limit of the customer, or of the address where no key is asked for.

    A view with a `rate_scope`, one of SCOPES, has a limit of its own beside it.
    """

    def allow_request(self, request: Any, view: Any) -> bool:
        limits = [_find_overall(request)]
        if (scope := getattr(view, "rate_scope", None)) is not None:
            limits.append(_find_own(request, scope))
        caller = str(request.auth.customer_id) if request.auth else find_address(request)
        request.standing = hit(*limits, caller=caller, is_customer=bool(request.auth))
        return True


def _find_overall(request: Request) -> Limit:
    given = request.auth.requests_per_minute if isinstance(request.auth, Caller) else None
    return Limit("api", given or settings.API_REQUESTS_PER_MINUTE)


def find_scope(name: str) -> Scope:
    """Where a scope's limit is declared. Raises ImproperlyConfigured where it is not."""
    if name not in SCOPES:
        raise ImproperlyConfigured(f"No limit is declared for rate_scope {name!r}: see SCOPES in {__name__}.")
    return SCOPES[name]


def _find_own(request: Request, name: str) -> Limit:
    scope, given = find_scope(name), None
    if scope.of_caller is not None and isinstance(request.auth, Caller):
        given = getattr(request.auth, scope.of_caller)
    return Limit(name, given or getattr(settings, scope.setting))


def find_address(request: Request | HttpRequest) -> str:
    """What limits count by: the caller's address, of IPv6 its /64 network. Not for what is recorded."""
    return get_client_network(request)


def find_ip(request: Request | HttpRequest) -> str | None:
    """The caller's full address where it is one, for what is written down."""
    return get_client_ip(request)


def find_standing(request: Request) -> Standing:
    """Where the caller's address stands, for an answer that no limit was counted for."""
    overall = Limit("api", settings.API_REQUESTS_PER_MINUTE)
    try:
        return _to_standing(limiter.look(overall, find_address(request)))
    except RedisAway:
        LIMITER_UNAVAILABLE.inc()
        return _to_standing(_count_none(overall))


def count_bad_key(request: Request) -> None:
    """One more wrong key from this address. Raises RateLimited past the limit."""
    hit(Limit("bad-key", settings.API_BAD_KEYS_PER_MINUTE), caller=find_address(request))


def _count_none(limit: Limit) -> Count:
    return Count(limit, 0, limit.seconds * 1000)


def _to_standing(count: Count) -> Standing:
    return Standing(count.limit.amount, count.remaining, count.reset_at)
