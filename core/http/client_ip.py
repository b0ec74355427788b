"""The client's IP address: in full for what is recorded, by network for what limits count."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

# One subscriber has a whole /64, so a limit on single IPv6 addresses is none. RFC 6177.
IPV6_PREFIX = 64
# Behind a 6to4 prefix stands one IPv4 address, with 65,536 networks of that size. RFC 3056.
SIX_TO_FOUR_PREFIX = 48

Address = IPv4Address | IPv6Address


def get_client_ip(request: Request | HttpRequest) -> str | None:
    """The client's full address, as the outermost trusted proxy reported it. None where there is none.

    An entry that is missing or no address gives the connection's own address, which nobody can forge.
    """
    address = _find_address(request)
    return str(address) if address is not None else None


def get_client_network(request: Request | HttpRequest) -> str:
    """What limits count by: an IPv4 address, or the /64 network of an IPv6 address; else `unknown`."""
    address = _find_address(request)
    if not isinstance(address, IPv6Address):
        return str(address) if address is not None else "unknown"
    prefix = SIX_TO_FOUR_PREFIX if address.sixtofour else IPV6_PREFIX
    return str(IPv6Network((int(address), prefix), strict=False))


def parse_address(text: str) -> Address | None:
    """An address as proxies write it: with brackets, quotes, a port or a zone. None for anything else.

    An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) is the IPv4 address.
    """
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _find_address(request: Request | HttpRequest) -> Address | None:
    proxies = settings.TRUSTED_PROXY_COUNT
    # The server joins several header lines in the order in which they came.
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    reported = parse_address(forwarded[-proxies]) if 0 < proxies <= len(forwarded) else None
    return reported or parse_address(str(request.META.get("REMOTE_ADDR", "")))
