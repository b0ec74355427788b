"""Rate limits of the API. While Redis is unavailable, limits per customer are not enforced.

All other limits are then enforced by each process on its own. Every such request is counted as a metric.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from rest_framework.request import Request

from core.api import limiter
from core.api.errors import RateLimited, RateLimitStatus
from core.api.limiter import Count, Limit
from core.api.metrics import LIMITER_REJECTIONS, LIMITER_UNAVAILABLE
from core.http.client_ip import get_client_ip, get_client_network
from core.redis.client import RedisUnavailable

# Error codes: of the overall limit, and of an endpoint's own limit.
OVERALL, OWN = "RATE_LIMIT_EXCEEDED", "RATE_LIMITED"


@dataclass(frozen=True)
class Scope:
    """The limit of a `rate_scope`: a setting, and the attribute of `request.auth` that overrides it."""

    setting: str
    of_caller: str | None = None


# Registered in each app's `ready()`. A view that names an unregistered scope fails when its class is created.
SCOPES: dict[str, Scope] = {}


def hit(
    *limits: Limit, caller: str, codes: tuple[str, ...] = (OVERALL, OWN), is_customer: bool = False
) -> RateLimitStatus:
    """Count one request against each limit and return the status of the last. Raises RateLimited.

    One round trip to Redis. A request that one limit rejects is not counted against the limits after it.
    While Redis is unavailable, requests of customers pass; anonymous ones (key guessing, mass signup) are
    counted in this process.
    """
    try:
        counts = limiter.count_request(limits, caller)
    except RedisUnavailable:
        LIMITER_UNAVAILABLE.inc()
        counts = (
            [_count_none(limits[-1])] if is_customer else limiter.count_request_in_process(limits, caller)
        )
    last = counts[-1]
    if last.is_over:
        # Counting stops at the limit that is exceeded, so the last count belongs to it.
        code = codes[len(counts) - 1]
        LIMITER_REJECTIONS.labels(code=code).inc()
        raise RateLimited(_to_status(last), code=code)
    return _to_status(last)


def find_scope(name: str) -> Scope:
    """Return a registered scope. Raises ImproperlyConfigured if there is none of that name."""
    if name not in SCOPES:
        raise ImproperlyConfigured(f"Register rate_scope {name!r} in {__name__}.SCOPES: it has no limit.")
    return SCOPES[name]


def find_address(request: Request | HttpRequest) -> str:
    """Return what limits count by: the client's IPv4 address or IPv6 /64 network. Not for audit logs."""
    return get_client_network(request)


def find_ip(request: Request | HttpRequest) -> str | None:
    """Return the client's full address for audit logs, or None if it is unknown."""
    return get_client_ip(request)


def find_rate_limit_status(request: Request) -> RateLimitStatus:
    """Return the status of the caller's address, for responses for which no limit was counted."""
    overall = Limit("api", settings.API_REQUESTS_PER_MINUTE)
    try:
        return _to_status(limiter.peek(overall, find_address(request)))
    except RedisUnavailable:
        LIMITER_UNAVAILABLE.inc()
        return _to_status(_count_none(overall))


def count_bad_key(request: Request) -> None:
    """Count an invalid key sent from this address. Raises RateLimited past the limit."""
    hit(Limit("bad-key", settings.API_BAD_KEYS_PER_MINUTE), caller=find_address(request))


def _count_none(limit: Limit) -> Count:
    return Count(limit, 0, limit.seconds * 1000)


def _to_status(count: Count) -> RateLimitStatus:
    return RateLimitStatus(count.limit.amount, count.remaining, count.reset_at)
