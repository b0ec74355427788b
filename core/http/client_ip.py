"""The client's IP address: in full for audit logs, as a network for rate limits."""

from ipaddress import IPv6Address, IPv6Network

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from .ip_addresses import IPV6_PREFIX, SIX_TO_FOUR_PREFIX, Address, parse_address


def get_client_ip(request: Request | HttpRequest) -> str | None:
    """Return the client's full address as the outermost trusted proxy reported it, or None.

    If that entry is missing or invalid, returns the address of the connection, which cannot be forged.
    """
    address = _find_address(request)
    return str(address) if address is not None else None


def get_client_network(request: Request | HttpRequest) -> str:
    """Return the key that limits count by: an IPv4 address, an IPv6 /64 network, or `unknown`."""
    address = _find_address(request)
    if not isinstance(address, IPv6Address):
        return str(address) if address is not None else "unknown"
    prefix = SIX_TO_FOUR_PREFIX if address.sixtofour else IPV6_PREFIX
    return str(IPv6Network((int(address), prefix), strict=False))


def _find_address(request: Request | HttpRequest) -> Address | None:
    proxies = settings.TRUSTED_PROXY_COUNT
    # The server joins repeated header lines in the order in which they arrived.
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    reported = parse_address(forwarded[-proxies]) if 0 < proxies <= len(forwarded) else None
    return reported or parse_address(str(request.META.get("REMOTE_ADDR", "")))
