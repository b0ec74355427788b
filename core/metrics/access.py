"""Access control of `/metrics`."""

import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from core.http.ip_addresses import parse_address

# Headers that proxies add. Through a proxy, the connection's address is not the client's.
PROXY_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


def may_scrape(environ: Mapping[str, Any]) -> bool:
    """Return whether a request, given by its WSGI environ, may read `/metrics`.

    It must carry METRICS_TOKEN, or come directly (through no proxy) from METRICS_ADDRESSES. X-Forwarded-For
    is never trusted to grant access. If neither setting is set, nobody may.
    """
    return _has_token(environ) or _comes_from_scraper(environ)


def _has_token(environ: Mapping[str, Any]) -> bool:
    scheme, _, token = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if not settings.METRICS_TOKEN or scheme.lower() != "bearer":
        return False
    return secrets.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())


def _comes_from_scraper(environ: Mapping[str, Any]) -> bool:
    if not settings.METRICS_ADDRESSES or any(name in environ for name in PROXY_HEADERS):
        return False
    address = parse_address(str(environ.get("REMOTE_ADDR", "")))  # empty for a Unix socket
    if address is None:
        return False
    return any(address in network for network in settings.METRICS_ADDRESSES)
