"""Who may scrape."""

import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from core.http.ip_addresses import parse_address

# What proxies add. Who comes through one is not whom the connection's address names.
MARKS_OF_PROXIES = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


def may_scrape(environ: Mapping[str, Any]) -> bool:
    """Whether a request, by its WSGI environment, carries METRICS_TOKEN or comes from METRICS_ADDRESSES.

    Only the connection's own address counts, and only where the request came through no proxy: what a
    caller writes into X-Forwarded-For shuts doors and opens none. Nobody may where neither is set.
    """
    return _has_token(environ) or _comes_from_scraper(environ)


def _has_token(environ: Mapping[str, Any]) -> bool:
    scheme, _, token = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if not settings.METRICS_TOKEN or scheme.lower() != "bearer":
        return False
    return secrets.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())


def _comes_from_scraper(environ: Mapping[str, Any]) -> bool:
    if not settings.METRICS_ADDRESSES or any(name in environ for name in MARKS_OF_PROXIES):
        return False
    address = parse_address(str(environ.get("REMOTE_ADDR", "")))  # a socket in a file has none
    if address is None:
        return False
    return any(address in network for network in settings.METRICS_ADDRESSES)
