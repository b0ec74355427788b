"""A client that uses little CPU, since it shares two cores with the server: sockets, and minimal parsing.

Every answer is checked; one that is not as it should be raises WrongAnswer.
"""

import contextlib
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
PATIENCE_SECONDS = 120


class WrongAnswer(Exception):
    """An answer of another status, or without what it must hold; the message shows both."""


@dataclass(frozen=True)
class Case:
    """What is measured: the n-th request as it goes over the wire, and what its answer must hold."""

    name: str
    make: Callable[[int], bytes]
    expects: bytes

    def check(self, answer: bytes) -> None:
        if answer[9:12] != b"200" or self.expects not in answer:
            raise WrongAnswer(f"{self.name}: {answer[:1000]!r} has no {self.expects!r}")


def build_request(method: str, path: str, body: bytes = b"", /, **headers: str) -> bytes:
    """A request as it goes over the wire; in the headers' names `_` stands for `-`."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


BARE = Case("bare", lambda _: build_request("GET", "/bench/bare"), b'"ok": true')


@dataclass
class Connection:
    """One keep-alive connection, opened again where the server closes it."""

    address: tuple[str, int]
    _socket: socket.socket | None = None
    _had: bytes = b""
    _wanted: int = -1
    asked_at: float = 0.0

    @property
    def socket(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(self.address, timeout=PATIENCE_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def ask(self, request: bytes) -> None:
        self._had, self._wanted = b"", -1
        self.asked_at = time.perf_counter()
        self.socket.sendall(request)

    def read(self) -> bytes | None:
        """The answer once it is whole, None until then. Waits for the next bytes."""
        read = self.socket.recv(1 << 18)
        self._had = self._had + read if self._had else read
        if self._wanted < 0:
            self._wanted = _find_end(self._had)
        if not read or 0 <= self._wanted <= len(self._had):
            answer = self._had
            if not read or b"connection: close" in answer[: answer.find(END_OF_HEAD)].lower():
                self.close()
            if len(answer) != self._wanted:
                raise WrongAnswer(f"the connection ended within {answer[:300]!r}")
            return answer
        return None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _find_end(had: bytes) -> int:
    """Where the answer ends by its Content-Length; -1 while that is not here yet."""
    end = had.find(END_OF_HEAD)
    if end < 0:
        return -1
    head = had[:end].lower()
    at = head.find(LENGTH)
    if at < 0:
        raise WrongAnswer(f"no Content-Length in {head!r}")
    return end + len(END_OF_HEAD) + int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0])


@dataclass
class Client:
    """Asks one server. `sent` counts, so that no request is made twice where that would be another thing."""

    host: str
    port: int
    sent: dict[str, int] = field(default_factory=dict)

    def ask(self, case: Case, *, headers: bytes = b"") -> bytes:
        """One answer, on a connection of its own. `headers`: whole lines to send beside the request's."""
        line = Connection((self.host, self.port))
        first, rest = self._next(case).split(b"\r\n", 1)
        with contextlib.closing(line):
            line.ask(first + b"\r\n" + headers + rest)
            return _wait(line, case)

    def time_one_by_one(self, case: Case, count: int) -> list[float]:
        """Seconds that each of so many requests took, one after another on one connection."""
        line, seconds = Connection((self.host, self.port)), []
        with contextlib.closing(line):
            for _ in range(count):
                line.ask(self._next(case))
                _wait(line, case)
                seconds.append(time.perf_counter() - line.asked_at)
        return seconds

    def count_per_second(self, case: Case, *, connections: int, seconds: float) -> float:
        """Answers in a second, with so many connections on which there is always a request."""
        lines = [Connection((self.host, self.port)) for _ in range(connections)]
        with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
            for line in lines:
                stack.enter_context(contextlib.closing(line))
            began = time.perf_counter()
            for line in lines:
                line.ask(self._next(case))
                selector.register(line.socket, selectors.EVENT_READ, line)
            answered, ends_at = 0, began + seconds
            while selector.get_map():
                ready = selector.select(PATIENCE_SECONDS)
                if not ready:
                    raise WrongAnswer(f"{case.name}: no answer in {PATIENCE_SECONDS} seconds")
                for key, _ in ready:
                    line = key.data
                    answer = line.read()
                    if answer is None:
                        continue
                    case.check(answer)
                    answered += 1
                    is_kept = line._socket is not None
                    if not is_kept or time.perf_counter() >= ends_at:
                        selector.unregister(key.fileobj)
                    if time.perf_counter() < ends_at:
                        line.ask(self._next(case))
                        if not is_kept:
                            selector.register(line.socket, selectors.EVENT_READ, line)
            return answered / (time.perf_counter() - began)

    def _next(self, case: Case) -> bytes:
        number = self.sent.get(case.name, 0)
        self.sent[case.name] = number + 1
        return case.make(number)


def _wait(line: Connection, case: Case) -> bytes:
    answer = None
    while answer is None:
        answer = line.read()
    case.check(answer)
    return answer
