"""Connections that wait for their clients, and which of them gives way where there is no room for all."""

from collections.abc import Callable, Iterator

from core.server.connections import Connection

Step = Callable[[Connection], None]


class Waiting:
    """What is done next with each connection once its client has sent or read something.

    There are two lines: connections that transfer a body or an answer, and all others, such as those
    without a complete head. The longer line gives way, so that a flood of empty connections costs no upload,
    and one of half bodies no newcomer. Who transfers fast enough goes to the end of its line.
    """

    def __init__(self) -> None:
        self._others: dict[Connection, Step] = {}
        self._transfers: dict[Connection, Step] = {}

    def __iter__(self) -> Iterator[Connection]:
        return iter([*self._others, *self._transfers])

    def put(self, conn: Connection, step: Step) -> None:
        """It keeps its place in its line, unless enough bytes have moved since it got there."""
        line, other = self._transfers, self._others
        if not conn.is_transferring:
            line, other = other, line
        other.pop(conn, None)
        if conn.keeps_pace():
            line.pop(conn, None)
        line[conn] = step

    def find_step(self, conn: Connection) -> Step | None:
        return self._transfers.get(conn) or self._others.get(conn)

    def remove(self, conn: Connection) -> None:
        self._transfers.pop(conn, None)
        self._others.pop(conn, None)

    def find_first(self) -> Connection | None:
        """The first of the longer line: whoever has moved too little for the longest time."""
        is_more = len(self._transfers) > len(self._others)
        return next(iter(self._transfers if is_more else self._others), None)

    def find_first_transfer(self) -> Connection | None:
        """Only transfers hold stored bytes."""
        return next(iter(self._transfers), None)
