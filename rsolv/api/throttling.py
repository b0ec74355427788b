"""Limits in a window of 60 s, by customer. When the store is down, requests pass and it is logged."""

from functools import cache
from ipaddress import ip_address
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from .errors import RateLimited, Standing

log = structlog.get_logger(__name__)


@cache
def get_limiter() -> FixedWindowRateLimiter:
    uri = settings.REDIS_URL or "memory://"
    options: dict[str, Any] = {"socket_timeout": 1, "socket_connect_timeout": 1} if settings.REDIS_URL else {}
    return FixedWindowRateLimiter(storage_from_string(uri, **options))


def hit(item: RateLimitItem, *identifiers: str, code: str) -> Standing | None:
    """Count one and return where the caller stands, None when the store is down. Raises RateLimited."""
    try:
        limiter = get_limiter()
        passed = limiter.hit(item, *identifiers)
        stats = limiter.get_window_stats(item, *identifiers)
    except Exception as error:
        log.warning("limiter_unavailable", error=type(error).__name__)
        return None
    standing = Standing(item.amount, stats.remaining, int(stats.reset_time))
    if not passed:
        raise RateLimited(standing, code=code)
    return standing


class CustomerThrottle(BaseThrottle):
    """The overall limit of the customer, or of the address where no key is asked for.

    A view with a `rate_scope` has a limit of its own beside it.
    """

    def allow_request(self, request: Any, view: Any) -> bool:
        caller = str(request.auth.customer_id) if request.auth else find_address(request)
        overall = RateLimitItemPerMinute(settings.API_REQUESTS_PER_MINUTE, namespace="api")
        request.standing = hit(overall, caller, code="RATE_LIMIT_EXCEEDED")
        scope = getattr(view, "rate_scope", None)
        if scope is not None:
            own = RateLimitItemPerMinute(settings.API_TEST_INTEGRATION_PER_MINUTE, namespace=scope)
            request.standing = hit(own, caller, code="RATE_LIMITED") or request.standing
        return True


def _bad_keys_item() -> RateLimitItem:
    return RateLimitItemPerMinute(settings.API_BAD_KEYS_PER_MINUTE, namespace="bad-key")


def find_address(request: Request | HttpRequest) -> str:
    """The caller's address, as the outermost proxy that we trust saw it."""
    proxies = settings.TRUSTED_PROXY_COUNT
    forwarded = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",")]
    if proxies and len(forwarded) >= proxies and forwarded[-proxies]:
        return str(forwarded[-proxies])
    return str(request.META.get("REMOTE_ADDR", "")) or "unknown"


def find_ip(request: Request | HttpRequest) -> str | None:
    """The caller's address where it is one, for what is written down."""
    address = find_address(request)
    try:
        return str(ip_address(address))
    except ValueError:
        return None


def find_standing(request: Request) -> Standing | None:
    """Where the caller's address stands, for an answer that no limit was counted for."""
    overall = RateLimitItemPerMinute(settings.API_REQUESTS_PER_MINUTE, namespace="api")
    try:
        stats = get_limiter().get_window_stats(overall, find_address(request))
    except Exception as error:
        log.warning("limiter_unavailable", error=type(error).__name__)
        return None
    return Standing(overall.amount, stats.remaining, int(stats.reset_time))


def count_bad_key(request: Request) -> None:
    """One more wrong key from this address. Raises RateLimited past the limit."""
    hit(_bad_keys_item(), find_address(request), code="RATE_LIMIT_EXCEEDED")
