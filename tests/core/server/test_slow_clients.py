"""Clients that are slow on purpose block no thread, and their connections are closed in time."""

import contextlib
import threading
import time

import pytest

from sandbox.processes import Supervisor, pick_any_port
from tests.core.server.conftest import HEAD_SECONDS, TRANSFER_SECONDS, is_closed_within, receive_all, start

MANY = 40
HEAD = b"POST /echo HTTP/1.1\r\nHost: here\r\n"
STREAM = b"GET /stream?megabytes=8 HTTP/1.1\r\nHost: here\r\n\r\n"
# Seconds for the server to check its connections, on a busy machine.
PATIENCE = 4

PARTIAL = {
    "nothing": b"",
    "half a first line": b"POST /ec",
    "half a head": HEAD,
    "half a body": HEAD + b"Content-Length: 100\r\n\r\nhalf",
    "a body that was announced only": HEAD + b"Content-Length: 100\r\n\r\n",
    "a body that waits to be asked for": HEAD + b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n",
    "chunks without an end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "trailers without an end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nSome: trailer\r\n",
    "half of a second request": b"GET /say?word=one HTTP/1.1\r\nHost: here\r\n\r\nGET /say?word=tw",
}
DRIPPED = {
    "a head": (HEAD, b"A: b\r\n"),
    "a body": (HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
}


@contextlib.contextmanager
def many(server, data, **options):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server.connect(data, **options)) for _ in range(MANY)]


@contextlib.contextmanager
def dripping(clients, piece):
    """Send a piece on each connection every 0.2 seconds until they are closed."""
    is_over = threading.Event()

    def drip():
        while not is_over.wait(0.2):
            for client in clients:
                with contextlib.suppress(OSError):
                    client.send(piece)

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def all_are_closed(clients, seconds):
    ends_at = time.monotonic() + seconds
    return all(is_closed_within(client, max(0.1, ends_at - time.monotonic())) for client in clients)


@pytest.mark.parametrize("data", PARTIAL.values(), ids=PARTIAL)
class TestPartialRequests:
    def test_block_no_thread(self, server, data):
        with many(server, data):
            assert server.ask("/say?word=hello", timeout=2).json() == {"word": "hello"}

    def test_are_closed_in_time(self, server, data):
        with many(server, data) as clients:
            assert all_are_closed(clients, HEAD_SECONDS + TRANSFER_SECONDS + PATIENCE)


@pytest.mark.parametrize(("data", "piece"), DRIPPED.values(), ids=DRIPPED)
class TestDrippedRequests:
    def test_block_no_thread(self, server, data, piece):
        with many(server, data) as clients, dripping(clients, piece):
            assert server.ask("/say?word=hello", timeout=2).is_success

    def test_are_closed_in_time(self, server, data, piece):
        with many(server, data) as clients, dripping(clients, piece):
            assert all_are_closed(clients, HEAD_SECONDS + TRANSFER_SECONDS + PATIENCE)


class TestUnreadResponses:
    def test_block_no_thread(self, server):
        with many(server, STREAM[:-1], receive_buffer=4096) as clients:
            for client in clients[:8]:  # more than there are threads, at 8 MB each
                client.sendall(b"\n")
            assert server.ask("/say?word=hello", timeout=5).is_success

    def test_are_aborted_in_time(self, server):
        with server.connect(STREAM, receive_buffer=4096) as client:
            time.sleep(TRANSFER_SECONDS + 3)
            received = receive_all(client)
        assert len(received) < 8 * 1024 * 1024
        assert not received.endswith(b"0\r\n\r\n")

    def test_arrive_whole_if_the_client_reads_slowly(self, server):
        with server.connect(STREAM.replace(b"/1.1", b"/1.0"), receive_buffer=65536) as client:
            received = 0
            while piece := client.recv(65536):
                received += len(piece)
                time.sleep(0.005)
        assert received > 8 * 1024 * 1024


class TestTooManyConnections:
    def test_displace_those_that_wait_longest(self, server):
        with contextlib.ExitStack() as stack:
            clients = [
                stack.enter_context(server.connect(b"GET /say?word=x HTTP/1.1\r\n")) for _ in range(150)
            ]
            assert server.ask("/say?word=hello", timeout=2).is_success
            assert receive_all(clients[0]).startswith(b"HTTP/1.1 503 ")

    def test_cannot_buffer_more_than_the_limit(self, environment, tmp_path):
        small = environment | {"WEB_STORED_MEGABYTES": "4", "WEB_TRANSFER_SECONDS": "30"}
        body = HEAD + b"Content-Length: 1000001\r\n\r\n" + b"x" * 1_000_000
        with Supervisor(environment=small, log_dir=tmp_path) as supervisor, contextlib.ExitStack() as stack:
            server = start(supervisor, port=pick_any_port())
            clients = [stack.enter_context(server.connect(body)) for _ in range(6)]
            assert receive_all(clients[0]).startswith(b"HTTP/1.1 503 ")
            assert not is_closed_within(clients[-1], 0.3)
            clients[-1].sendall(b"x")
            assert clients[-1].recv(100).startswith(b"HTTP/1.1 200 ")


class TestLingeringClose:
    def test_blocks_no_other_client(self, server):
        """Clients keep the connection open after a response that ends it."""
        with many(server, b"GET /say?word=bye HTTP/1.0\r\n\r\n") as clients:
            began = time.monotonic()
            assert server.ask("/say?word=hello", timeout=2).is_success
            assert time.monotonic() - began < 1
            assert all_are_closed(clients, 2 + PATIENCE)

    def test_ends_in_time_after_a_large_response(self, server):
        with server.connect(STREAM.replace(b"/1.1", b"/1.0")) as client:
            received = 0
            while received < 8 * 1024 * 1024:
                received += len(client.recv(65536))
            assert is_shut_down_within(client, 2 + PATIENCE)


def is_shut_down_within(client, seconds):
    """Whether the server closes the connection, after having shut down its sending side."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        try:
            client.send(b"x")
        except OSError:
            return True
        time.sleep(0.1)
    return False
