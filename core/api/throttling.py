"""Who may come how often. While the limiter's store is unavailable, that is counted, customers' requests
pass, and all other limits hold for each process by itself.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from rest_framework.request import Request

from core.api import limiter
from core.api.errors import RateLimited, RateLimitStatus
from core.api.limiter import Count, Limit
from core.api.metrics import LIMITER_REFUSALS, LIMITER_UNAVAILABLE
from core.http.client_ip import get_client_ip, get_client_network
from core.redis.client import RedisUnavailable

# What a refusal by each limit is called: of the overall limit, and of an endpoint's own.
OVERALL, OWN = "RATE_LIMIT_EXCEEDED", "RATE_LIMITED"


@dataclass(frozen=True)
class Scope:
    """The limit of a `rate_scope`: a setting, and the attribute of `request.auth` that overrides it."""

    setting: str
    of_caller: str | None = None


# Registered in each app's `ready()`. A view that names a scope without an entry fails when its class is made.
SCOPES: dict[str, Scope] = {}


def hit(
    *limits: Limit, caller: str, codes: tuple[str, ...] = (OVERALL, OWN), is_customer: bool = False
) -> RateLimitStatus:
    """Count one against each and return where the caller stands with the last. Raises RateLimited.

    All in one round trip. A request that one limit refuses is not counted against those after it. While the
    store is unavailable, customers pass; who guesses keys or signs up by the dozen is counted here.
    """
    try:
        counts = limiter.add(limits, caller)
    except RedisUnavailable:
        LIMITER_UNAVAILABLE.inc()
        counts = [_count_none(limits[-1])] if is_customer else limiter.add_in_process(limits, caller)
    last = counts[-1]
    if last.is_over:
        code = codes[len(counts) - 1]
        LIMITER_REFUSALS.labels(code=code).inc()
        raise RateLimited(_to_status(last), code=code)
    return _to_status(last)


def find_scope(name: str) -> Scope:
    """Where a scope's limit is declared. Raises ImproperlyConfigured where it is not."""
    if name not in SCOPES:
        raise ImproperlyConfigured(f"Register rate_scope {name!r} in {__name__}.SCOPES: it has no limit.")
    return SCOPES[name]


def find_address(request: Request | HttpRequest) -> str:
    """What limits count by: the caller's address, of IPv6 its /64 network. Not for what is recorded."""
    return get_client_network(request)


def find_ip(request: Request | HttpRequest) -> str | None:
    """The caller's full address where it is one, for what is written down."""
    return get_client_ip(request)


def find_rate_limit_status(request: Request) -> RateLimitStatus:
    """Where the caller's address stands, for an answer that no limit was counted for."""
    overall = Limit("api", settings.API_REQUESTS_PER_MINUTE)
    try:
        return _to_status(limiter.look(overall, find_address(request)))
    except RedisUnavailable:
        LIMITER_UNAVAILABLE.inc()
        return _to_status(_count_none(overall))


def count_bad_key(request: Request) -> None:
    """One more wrong key from this address. Raises RateLimited past the limit."""
    hit(Limit("bad-key", settings.API_BAD_KEYS_PER_MINUTE), caller=find_address(request))


def _count_none(limit: Limit) -> Count:
    return Count(limit, 0, limit.seconds * 1000)


def _to_status(count: Count) -> RateLimitStatus:
    return RateLimitStatus(count.limit.amount, count.remaining, count.reset_at)
