"""An HTTP client that uses little CPU, because it shares the machine with the server.

It uses plain sockets and parses only what it needs. It checks every response, and raises UnexpectedResponse.
"""

import contextlib
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
TIMEOUT_SECONDS = 120


class UnexpectedResponse(Exception):
    """A response has another status than 200, or lacks the expected text; the message shows both."""


@dataclass(frozen=True)
class Case:
    """What is measured: `make` returns the raw n-th request, `expects` is part of each response."""

    name: str
    make: Callable[[int], bytes]
    expects: bytes

    def check(self, answer: bytes) -> None:
        if answer[9:12] != b"200" or self.expects not in answer:
            raise UnexpectedResponse(f"{self.name}: {answer[:1000]!r} has no {self.expects!r}")


def build_request(method: str, path: str, body: bytes = b"", /, **headers: str) -> bytes:
    """Return the raw bytes of a request. In the headers' names, `_` is replaced by `-`."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


BARE = Case("bare", lambda _: build_request("GET", "/bench/bare"), b'"ok": true')


@dataclass
class Connection:
    """A keep-alive connection, which is opened again if the server closes it."""

    address: tuple[str, int]
    _socket: socket.socket | None = None
    _had: bytes = b""
    _wanted: int = -1
    sent_at: float = 0.0

    @property
    def socket(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(self.address, timeout=TIMEOUT_SECONDS)
            # Otherwise a second small write waits for the server's acknowledgment.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def send(self, request: bytes) -> None:
        self._had, self._wanted = b"", -1
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def read(self) -> bytes | None:
        """Wait for the next bytes. Return the response once it is complete, None until then."""
        read = self.socket.recv(1 << 18)
        self._had = self._had + read if self._had else read
        if self._wanted < 0:
            self._wanted = _find_end(self._had)
        if not read or 0 <= self._wanted <= len(self._had):
            answer = self._had
            if not read or b"connection: close" in answer[: answer.find(END_OF_HEAD)].lower():
                self.close()
            if len(answer) != self._wanted:
                raise UnexpectedResponse(f"the connection ended within {answer[:300]!r}")
            return answer
        return None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _find_end(had: bytes) -> int:
    """Return the response's end by its Content-Length, or -1 until the head is complete."""
    end = had.find(END_OF_HEAD)
    if end < 0:
        return -1
    head = had[:end].lower()
    at = head.find(LENGTH)
    if at < 0:
        raise UnexpectedResponse(f"no Content-Length in {head!r}")
    return end + len(END_OF_HEAD) + int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0])


@dataclass
class Client:
    """A client of one server. `sent` counts the requests by case, so that each gets a new number."""

    host: str
    port: int
    sent: dict[str, int] = field(default_factory=dict)

    def fetch(self, case: Case, *, headers: bytes = b"") -> bytes:
        """Return one response, fetched on a new connection. `headers` are complete lines to add."""
        connection = Connection((self.host, self.port))
        first, rest = self._next(case).split(b"\r\n", 1)
        with contextlib.closing(connection):
            connection.send(first + b"\r\n" + headers + rest)
            return _wait(connection, case)

    def measure_latencies(self, case: Case, count: int) -> list[float]:
        """Return the duration, in seconds, of each of `count` requests sent in sequence on one connection."""
        connection, seconds = Connection((self.host, self.port)), []
        with contextlib.closing(connection):
            for _ in range(count):
                connection.send(self._next(case))
                _wait(connection, case)
                seconds.append(time.perf_counter() - connection.sent_at)
        return seconds

    def measure_rate(self, case: Case, *, connections: int, seconds: float) -> float:
        """Return the responses per second with `connections` that each always have a request in flight."""
        opened = [Connection((self.host, self.port)) for _ in range(connections)]
        with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
            for connection in opened:
                stack.enter_context(contextlib.closing(connection))
            began = time.perf_counter()
            for connection in opened:
                connection.send(self._next(case))
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            answered, ends_at = 0, began + seconds
            while selector.get_map():
                ready = selector.select(TIMEOUT_SECONDS)
                if not ready:
                    raise UnexpectedResponse(f"{case.name}: no answer in {TIMEOUT_SECONDS} seconds")
                for key, _ in ready:
                    connection = key.data
                    answer = connection.read()
                    if answer is None:
                        continue
                    case.check(answer)
                    answered += 1
                    # A response may close the connection. The next request opens a new socket.
                    is_kept = connection._socket is not None
                    if not is_kept or time.perf_counter() >= ends_at:
                        selector.unregister(key.fileobj)
                    if time.perf_counter() < ends_at:
                        connection.send(self._next(case))
                        if not is_kept:
                            selector.register(connection.socket, selectors.EVENT_READ, connection)
            return answered / (time.perf_counter() - began)

    def _next(self, case: Case) -> bytes:
        number = self.sent.get(case.name, 0)
        self.sent[case.name] = number + 1
        return case.make(number)


def _wait(connection: Connection, case: Case) -> bytes:
    answer = None
    while answer is None:
        answer = connection.read()
    case.check(answer)
    return answer
