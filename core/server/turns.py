"""Complete requests that wait for a thread: one of each client in turn, however many it has sent."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from core.http.ip_addresses import IPV6_PREFIX, SIX_TO_FOUR_PREFIX, parse_address
from core.server.connections import Connection


@dataclass(slots=True)
class Line:
    """The waiting requests of one client, the oldest first, and the bytes of their bodies."""

    requests: deque[Connection] = field(default_factory=deque)
    stored: int = 0


class Turns:
    """Only the worker's loop uses it, so it needs no lock.

    A client that comes new waits for one request of each client that waits already.
    """

    def __init__(self, *, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._lines: dict[str, Line] = {}  # in the order of their turns

    def add(self, client: str, conn: Connection) -> bool:
        """Whether it waits now. It does not where the client has too many requests or bytes waiting.

        The first request of a client always waits, however large it is.
        """
        line = self._lines.get(client)
        size = conn.arriving.received
        if line is None:
            line = self._lines[client] = Line()
        elif len(line.requests) >= self._most or line.stored + size > self._most_bytes:
            return False
        line.requests.append(conn)
        line.stored += size
        return True

    def take(self) -> Connection | None:
        """The oldest request of the client whose turn it is. None where nobody waits."""
        client = next(iter(self._lines), None)
        if client is None:
            return None
        line = self._lines.pop(client)
        conn = line.requests.popleft()
        line.stored -= conn.arriving.received
        if line.requests:
            self._lines[client] = line
        return conn


def identify_client(address: Any, request: Any, *, proxies: int) -> str:
    """Whose turn a request takes: an IPv4 address, or the network of an IPv6 one, as for the limits.

    Behind `proxies` trusted ones it is the address that the outermost of them reported. What is missing or
    no address gives the connection's own, and a Unix socket has none: then all are one client.
    """
    reported = parse_address(_find_reported(request, proxies)) if proxies > 0 else None
    found = reported or parse_address(str(address[0]) if isinstance(address, tuple) else "")
    return _name_network(found)


def _find_reported(request: Any, proxies: int) -> str:
    values = [value for name, value in request.headers if name == "X-FORWARDED-FOR"]
    forwarded = ",".join(values).split(",")
    return forwarded[-proxies] if proxies <= len(forwarded) else ""


def _name_network(address: Any) -> str:
    if address is None or address.version == 4:
        return str(address)
    prefix = SIX_TO_FOUR_PREFIX if address.sixtofour else IPV6_PREFIX
    return f"{int(address) >> (128 - prefix):x}/{prefix}"
