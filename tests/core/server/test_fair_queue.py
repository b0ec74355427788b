"""Round-robin between clients: one that sends many requests delays only itself."""

import contextlib
from types import SimpleNamespace

import pytest

from core.server.fair_queue import FairQueue, identify_client
from sandbox.processes import Supervisor, pick_any_port
from tests.core.server.conftest import receive_all, receive_until, start

BUSY, MANY = "127.0.0.2", 60
WAIT = b"GET /wait?seconds=0.2 HTTP/1.0\r\nHost: here\r\n"
SAY = b"GET /say?word=hello HTTP/1.0\r\nHost: here\r\n"
MOST_QUEUED, THREADS = 5, 2


@pytest.fixture
def start_own(environment, tmp_path):
    with contextlib.ExitStack() as stack:

        def start_it(**variables):
            supervisor = Supervisor(environment=environment | variables, log_dir=tmp_path)
            return start(stack.enter_context(supervisor), port=pick_any_port())

        yield start_it


@contextlib.contextmanager
def busy(server, *, header=b"", source=BUSY, count=MANY):
    """Complete requests that all wait at the same time."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect(WAIT, source=source)) for _ in range(count)]
        for client in clients:
            client.sendall(header + b"\r\n")
        receive_until(clients[0], b"200")  # the others have arrived by now
        yield clients


def count_answered(clients):
    answered = 0
    for client in clients:
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            answered += bool(client.recv(1))
    return answered


class TestManyRequestsOfOneClient:
    def test_do_not_delay_another(self, start_own):
        server = start_own()
        with busy(server) as clients:
            assert b"hello" in server.exchange(SAY + b"\r\n")
            assert count_answered(clients[1:]) < MANY / 3

    def test_do_not_delay_another_behind_the_same_proxy(self, start_own):
        server = start_own(TRUSTED_PROXY_COUNT="1")
        forged = b"X-Forwarded-For: 192.0.2.1, 203.0.113.5\r\n"
        with busy(server, header=forged, source=None) as clients:
            assert b"hello" in server.exchange(SAY + b"X-Forwarded-For: 192.0.2.1\r\n\r\n")
            assert count_answered(clients[1:]) < MANY / 3

    def test_are_rejected_beyond_the_limit(self, start_own):
        server = start_own(WEB_QUEUED_PER_CLIENT=str(MOST_QUEUED))
        with busy(server, count=30) as clients:
            answers = [receive_all(client) for client in clients[1:]]
        rejected = [answer for answer in answers if answer.startswith(b"HTTP/1.1 503 ")]
        assert len(rejected) >= 5
        assert all(b"\r\nRetry-After: 1\r\n" in answer for answer in rejected)
        assert len(answers) - len(rejected) >= MOST_QUEUED + THREADS - 1

    def test_are_accepted_again_below_the_limit(self, start_own):
        server = start_own(WEB_QUEUED_PER_CLIENT="1")
        with busy(server, count=10) as clients:
            assert any(b" 503 " in receive_all(client) for client in clients[1:])
            with server.connect(SAY + b"\r\n", source=BUSY) as client:
                assert b"hello" in receive_all(client)


def make_request(size=0):
    return SimpleNamespace(arriving=SimpleNamespace(received=size))


class TestFairQueue:
    def test_alternate_between_clients(self):
        queue = FairQueue(most=10, most_bytes=100)
        first, second, third, other = (make_request() for _ in range(4))
        for client, request in [("a", first), ("a", second), ("a", third), ("b", other)]:
            assert queue.add(client, request)
        assert [queue.take() for _ in range(5)] == [first, other, second, third, None]

    def test_are_limited_in_bytes_per_client(self):
        queue = FairQueue(most=10, most_bytes=100)
        assert queue.add("a", make_request(60))
        assert not queue.add("a", make_request(60))
        assert queue.add("b", make_request(60))
        queue.take()
        assert queue.add("a", make_request(200))  # the only one of its client


FORWARDED = ("X-FORWARDED-FOR", "192.0.2.1, 2001:db8:1:2:3::4, 192.0.2.3")


class TestIdentifyClient:
    @pytest.mark.parametrize(
        ("address", "headers", "proxies", "same_as"),
        [
            (("192.0.2.7", 80), [FORWARDED], 0, ("192.0.2.7", 1)),
            (("::ffff:192.0.2.7", 80, 0, 0), [], 0, ("192.0.2.7", 1)),
            (("2001:db8::1", 80, 0, 0), [], 0, ("2001:db8::2", 1, 0, 0)),
            (("10.0.0.1", 80), [FORWARDED], 1, ("192.0.2.3", 1)),
            (("10.0.0.1", 80), [FORWARDED], 2, ("2001:db8:1:2::5", 1, 0, 0)),
            (("10.0.0.1", 80), [FORWARDED], 4, ("10.0.0.1", 1)),
            (("10.0.0.1", 80), [("X-FORWARDED-FOR", "nonsense")], 1, ("10.0.0.1", 1)),
            (("10.0.0.1", 80), [FORWARDED, ("X-FORWARDED-FOR", "192.0.2.9")], 1, ("192.0.2.9", 1)),
            ("", [], 0, b""),
        ],
    )
    def test_reads_the_address_like_the_rate_limits(self, address, headers, proxies, same_as):
        bare = SimpleNamespace(headers=[])
        found = identify_client(address, SimpleNamespace(headers=headers), proxies=proxies)
        assert found == identify_client(same_as, bare, proxies=0)

    def test_distinguishes_networks(self):
        bare = SimpleNamespace(headers=[])
        addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"]
        assert len({identify_client((each, 1), bare, proxies=0) for each in addresses}) == 4
