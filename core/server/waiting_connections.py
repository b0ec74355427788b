"""Connections that wait for their clients, and which of them is closed if there are too many."""

from collections.abc import Callable, Iterator

from core.server.connections import Connection

Step = Callable[[Connection], None]


class WaitingConnections:
    """Maps each waiting connection to what the loop does once its client has sent or read something.

    Connections that transfer a body or a response form one line, all others (such as those without a complete
    head) another. If space runs out, the longer line loses its first connection. So a flood of empty
    connections stops no upload, and a flood of half bodies blocks no new connection. A connection that
    transfers fast enough moves to the end of its line.
    """

    def __init__(self) -> None:
        self._others: dict[Connection, Step] = {}
        self._transfers: dict[Connection, Step] = {}

    def __iter__(self) -> Iterator[Connection]:
        # A copy: closing a connection removes it.
        return iter([*self._others, *self._transfers])

    def put(self, conn: Connection, step: Step) -> None:
        """Add a connection. It keeps its place in its line unless it transferred fast enough since then."""
        line, other = self._transfers, self._others
        if not conn.is_transferring:
            line, other = other, line
        other.pop(conn, None)
        if conn.is_fast_enough():
            line.pop(conn, None)
        line[conn] = step

    def find_step(self, conn: Connection) -> Step | None:
        return self._transfers.get(conn) or self._others.get(conn)

    def remove(self, conn: Connection) -> None:
        self._transfers.pop(conn, None)
        self._others.pop(conn, None)

    def get_slowest(self) -> Connection | None:
        """Return the first connection of the longer line: the one with too little progress for longest."""
        is_more = len(self._transfers) > len(self._others)
        return next(iter(self._transfers if is_more else self._others), None)

    def get_slowest_transfer(self) -> Connection | None:
        """Return the first transfer. Only transfers hold buffered bytes."""
        return next(iter(self._transfers), None)
