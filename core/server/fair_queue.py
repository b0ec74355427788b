"""Complete requests that wait for a thread, served round robin by client."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from core.http.ip_addresses import IPV6_PREFIX, SIX_TO_FOUR_PREFIX, parse_address
from core.server.connections import Connection


@dataclass(slots=True)
class ClientQueue:
    """The waiting requests of one client, oldest first, and the total bytes of their bodies."""

    requests: deque[Connection] = field(default_factory=deque)
    stored: int = 0


class FairQueue:
    """A queue per client, served in turn. Used only by the worker's loop, so it needs no lock.

    A new client waits for at most one request of each client that is already waiting.
    """

    def __init__(self, *, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._lines: dict[str, ClientQueue] = {}  # in the order of their turns

    def add(self, client: str, conn: Connection) -> bool:
        """Queue a request. Return False if the client has too many requests or bytes waiting.

        A client's first request is always queued, however large it is.
        """
        line = self._lines.get(client)
        size = conn.arriving.received
        if line is None:
            line = self._lines[client] = ClientQueue()
        elif len(line.requests) >= self._most or line.stored + size > self._most_bytes:
            return False
        line.requests.append(conn)
        line.stored += size
        return True

    def take(self) -> Connection | None:
        """Remove and return the oldest request of the client whose turn it is, or None if none waits."""
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
    """Return the client whose queue a request joins: an IPv4 address or IPv6 network, as for rate limits.

    Behind trusted proxies this is the address reported by the outermost one. If that is missing or invalid,
    it is the connection's address. Unix sockets have none, so all their requests share one queue.
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
