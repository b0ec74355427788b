"""What one client can send to keep others waiting. Bounded, and to this machine alone."""

import json
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

MEGABYTE = 1024 * 1024
# More than there are threads, however few attack at once.
HELD_BACK_CONNECTIONS = 40
HELD_SECONDS = 2
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
    """`prepare` what is sent, `run` until it is answered or the time (monotonic) has come.

    So many clients make it `at_once`.
    """

    at_once = 4

    def prepare(self) -> None:
        pass

    def run(self, target: Target, until: float) -> None:
        raise NotImplementedError


@dataclass
class Post(Attack):
    """Complete requests, with a key. Raises AssertionError where one ends without an answer."""

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
class HoldBack(Attack):
    """Many connections that send a beginning, then nothing more, or a piece every now and then."""

    beginning: str
    piece: str = ""

    def run(self, target: Target, until: float) -> None:
        ends_at = time.monotonic() + HELD_SECONDS
        with ExitStack() as stack:
            clients = [stack.enter_context(target.connect()) for _ in range(HELD_BACK_CONNECTIONS)]
            for client in clients:
                client.sendall(self.beginning.encode())
            while time.monotonic() < ends_at:
                for client in clients if self.piece else ():
                    with suppress(OSError):
                        client.send(self.piece.encode())
                time.sleep(0.1)


def _work(path: str, make_content: Callable[[], object]) -> Post:
    """What works the engine: from more clients than a web process has threads, again and again."""
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
    """Lists in lists, 90 deep, that are `size` bytes of JSON."""
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
    "commented matchers": _work(
        "generate", lambda: _generate("minitest", "ruby", MINITEST.format("expect(" * 15_000))
    ),
    "assert lines": _work(
        "generate", lambda: _generate("pytest", "python", "assert x\n" * 24_000, "assert 1")
    ),
    "rspec parentheses": _work("generate", lambda: _generate("rspec", "ruby", "(" * 1_900_000)),
    "unended words": _work("generate", lambda: _generate("rspec", "ruby", "%w(" * 60_000)),
    "twenty thousand candidates": _work("analyze", lambda: CANDIDATES),
    # Under 4 kB, and over a second of the processor's time where nothing stops it.
    "small templates": _work("generate", lambda: _generate("mocha", "javascript", "${::" * 970, "f()")),
    # Just below what a task may take, and refused by the engine itself.
    "late refusals": _work(
        "generate", lambda: _generate("jest", "javascript", "it(2,()=>{foo(1)});\n" * 2_000, "f()", tests=20)
    ),
}
# Answers that nobody reads: tests/rsolv/server. The kernel keeps some MB of each, and RSOLV has few so long.
SLOW_CLIENTS = {
    "slow heads": HoldBack(FIRST_LINES),
    "slow bodies": HoldBack(FIRST_LINES + "Content-Length: 1000\r\n\r\nhalf"),
    "dripped heads": HoldBack(FIRST_LINES, "A: b\r\n"),
    "dripped bodies": HoldBack(FIRST_LINES + "Content-Length: 1000000\r\n\r\n", "x"),
    "chunks without an end": HoldBack(FIRST_LINES + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
}
ATTACKS = REQUESTS | SLOW_CLIENTS
