"""Denial-of-service attacks that one client can make. They are limited, and go to this machine only."""

import json
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

MEGABYTE = 1024 * 1024
# More connections than the server has threads, even if only one client attacks.
SLOW_CONNECTIONS = 40
SLOW_SECONDS = 2
FIRST_LINES = (
    "POST /api/v1/framework/detect HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
)


@dataclass(frozen=True)
class Target:
    host: str
    port: int
    key: str

    def connect(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=30)


class Attack:
    """An attack by `at_once` parallel clients.

    `prepare` builds what is sent, `run` sends it and returns when it is answered or at `until`, a monotonic
    time.
    """

    at_once = 4

    def prepare(self) -> None:
        pass

    def run(self, target: Target, until: float) -> None:
        raise NotImplementedError


@dataclass
class Post(Attack):
    """Complete requests with a key. Raises AssertionError if the server closes one without a response."""

    path: str
    make_content: Callable[[], object]
    times: int = 1
    at_once: int = Attack.at_once

    def prepare(self) -> None:
        self.body = json.dumps(self.make_content()).encode()

    def run(self, target: Target, until: float) -> None:
        for _ in range(self.times):
            self._send(target, until)

    def _send(self, target: Target, until: float) -> None:
        head = f"POST /api/v1/{self.path} HTTP/1.1\r\nHost: {target.host}\r\nX-API-Key: {target.key}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        with target.connect() as client, suppress(TimeoutError):
            client.sendall(head.encode() + b"Connection: close\r\n\r\n" + self.body)
            client.settimeout(max(0.1, until - time.monotonic()))
            assert client.recv(65536).startswith(b"HTTP/1.1 ")


@dataclass
class SlowClients(Attack):
    """Many connections that send the start of a request and then nothing, or `piece` every 0.1 s."""

    start: str
    piece: str = ""

    def run(self, target: Target, until: float) -> None:
        ends_at = time.monotonic() + SLOW_SECONDS
        with ExitStack() as stack:
            clients = [stack.enter_context(target.connect()) for _ in range(SLOW_CONNECTIONS)]
            for client in clients:
                client.sendall(self.start.encode())
            while time.monotonic() < ends_at:
                for client in clients if self.piece else ():
                    with suppress(OSError):
                        client.send(self.piece.encode())
                time.sleep(0.1)


def _load_engine(path: str, make_content: Callable[[], object]) -> Post:
    """Return an attack on the engine by more clients than a web process has threads."""
    return Post(f"test-integration/{path}", make_content, times=2, at_once=12)


def _generate(
    framework: str, language: str, content: str, code: str = "expect(1).to eq(1)", tests: int = 1
) -> object:
    named = [{"testName": f"it {number}", "testCode": code, "attackVector": "x"} for number in range(tests)]
    return {
        "targetFileContent": content,
        "testSuite": {"redTests": named},
        "framework": framework,
        "language": language,
    }


def _nest(size: int) -> object:
    """Return lists nested 90 levels deep, which are about `size` bytes of JSON."""
    deep: list[object] = []
    for _ in range(89):
        deep = [deep]
    return [deep] * (size // len("[" * 90 + "]" * 90 + ", "))


MINITEST = """class SomeTest < Minitest::Test
  def test_some
    # {}
  end
end
"""
CANDIDATES = {
    "vulnerableFile": "app/models/user_session_token.rb",
    "candidateTestFiles": [
        f"spec/models/user/session/user_{n}_session_{n}_token_{n}_long_name_spec.rb" for n in range(20_000)
    ],
    "framework": "rspec",
}
STORE = {"phase": "scan", "repo": "acme/shop", "commitSha": "abc"}

REQUESTS = {
    "gemfile of spaces": Post("framework/detect", lambda: {"gemfile": 'gem "a",' + " " * 90_000 + "x"}),
    "nested lists, detect": Post("framework/detect", lambda: {"packageJson": {"a": _nest(7 * MEGABYTE)}}),
    "nested lists, store": Post("phases/store", lambda: STORE | {"data": {"a": _nest(7 * MEGABYTE)}}),
    "commented matchers": _load_engine(
        "generate", lambda: _generate("minitest", "ruby", MINITEST.format("expect(" * 15_000))
    ),
    "assert lines": _load_engine(
        "generate", lambda: _generate("pytest", "python", "assert x\n" * 24_000, "assert 1")
    ),
    "rspec parentheses": _load_engine("generate", lambda: _generate("rspec", "ruby", "(" * 1_900_000)),
    "unended words": _load_engine("generate", lambda: _generate("rspec", "ruby", "%w(" * 60_000)),
    "twenty thousand candidates": _load_engine("analyze", lambda: CANDIDATES),
    # Under 4 kB, but more than a second of CPU time if nothing stops it.
    "small templates": _load_engine(
        "generate", lambda: _generate("mocha", "javascript", "${::" * 970, "f()")
    ),
    # Just below the CPU limit of a task; the engine itself rejects it.
    "late rejections": _load_engine(
        "generate", lambda: _generate("jest", "javascript", "it(2,()=>{foo(1)});\n" * 2_000, "f()", tests=20)
    ),
}
# tests/core/server tests unread responses: few responses are larger than the kernel's buffers.
SLOW_CLIENTS = {
    "slow heads": SlowClients(FIRST_LINES),
    "slow bodies": SlowClients(FIRST_LINES + "Content-Length: 1000\r\n\r\nhalf"),
    "dripped heads": SlowClients(FIRST_LINES, "A: b\r\n"),
    "dripped bodies": SlowClients(FIRST_LINES + "Content-Length: 1000000\r\n\r\n", "x"),
    "chunks without an end": SlowClients(FIRST_LINES + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
}
ATTACKS = REQUESTS | SLOW_CLIENTS
