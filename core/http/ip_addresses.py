"""Parse IP addresses in the formats that proxies use, and the network sizes that limits count by. Pure."""

from ipaddress import IPv4Address, IPv6Address, ip_address

# One subscriber has a whole /64, so a limit on single IPv6 addresses is ineffective. RFC 6177.
IPV6_PREFIX = 64
# A 6to4 prefix belongs to one IPv4 address and contains 65,536 networks of that size. RFC 3056.
SIX_TO_FOUR_PREFIX = 48

Address = IPv4Address | IPv6Address


def parse_address(text: str) -> Address | None:
    """Parse an address that may have brackets, quotes, a port or a zone. Return None if it is invalid.

    An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) is returned as the IPv4 address.
    """
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    # An IPv4 address and its port. An IPv6 address has more colons.
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
