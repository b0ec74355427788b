"""Requests reach the application whole or are rejected."""

import contextlib
import hashlib
import re

import pytest

from sandbox.processes import Supervisor, pick_any_port
from tests.core.server.conftest import receive_all, receive_until, start

POST = b"POST /echo HTTP/1.1\r\nHost: here\r\n"
CLOSE = b"Connection: close\r\n"
SMUGGLED = b"GET /say?word=smuggled HTTP/1.1\r\nHost: here\r\n\r\n"

SMUGGLING = {
    "length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nfour",
    "two equal lengths": POST + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nfour",
    "a signed length": POST + b"Content-Length: +4\r\n\r\nfour",
    "a length in hex": POST + b"Content-Length: 0x4\r\n\r\nfour",
    "a folded line": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": POST + b"Content-Length : 4\r\n\r\nfour",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "not chunked last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bare newlines": b"GET /say?word=x HTTP/1.1\nHost: here\n\n",
    "one bare newline": b"GET /say?word=x HTTP/1.1\r\nHost: here\nContent-Length: 9\r\n\r\n",
    "a bare return": POST + b"A: b\rContent-Length: 4\r\n\r\n",
    "two hosts": b"GET /say?word=x HTTP/1.1\r\nHost: here\r\nHost: there\r\n\r\n",
}
BAD_CHUNKS = {
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "a negative size": b"-5\r\nhello\r\n0\r\n\r\n",
    "a size with a prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a wrong size": b"3\r\nhello\r\n0\r\n\r\n",
    "a bare newline": b"5\nhello\r\n0\r\n\r\n",
    "a huge size": b"ffffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "a bad extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "a wrong terminator": b"5\r\nhelloXX0\r\n\r\n",
    "a length in its trailers": b"5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n",
    "a long extension": b"5;" + b"a" * 20_000 + b"\r\nhello\r\n0\r\n\r\n",
}


@pytest.fixture(scope="module")
def server(environment, tmp_path_factory):
    """A server with longer timeouts: on a busy machine a client can pause for a second within a request."""
    patient = environment | {"WEB_HEAD_SECONDS": "8", "WEB_TRANSFER_SECONDS": "8"}
    with Supervisor(environment=patient, log_dir=tmp_path_factory.mktemp("server")) as supervisor:
        yield start(supervisor, port=pick_any_port())


def list_statuses(received):
    return [int(each) for each in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]


class TestAmbiguousRequests:
    @pytest.mark.parametrize("request_bytes", SMUGGLING.values(), ids=SMUGGLING)
    def test_are_rejected_with_the_rest_of_the_connection(self, server, request_bytes):
        statuses = list_statuses(server.exchange(request_bytes + SMUGGLED))
        assert len(statuses) == 1
        assert 400 <= statuses[0] < 600

    @pytest.mark.parametrize("chunks", BAD_CHUNKS.values(), ids=BAD_CHUNKS)
    def test_with_bad_chunks_end_the_connection(self, server, chunks):
        received = server.exchange(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + SMUGGLED)
        assert b"smuggled" not in received
        assert not any(status < 400 for status in list_statuses(received))

    @pytest.mark.parametrize("chunks", BAD_CHUNKS.values(), ids=BAD_CHUNKS)
    def test_with_unread_bad_chunks_get_one_response(self, server, chunks):
        request = POST.replace(b"/echo", b"/ignore") + b"Transfer-Encoding: chunked\r\n\r\n"
        assert list_statuses(server.exchange(request + chunks + SMUGGLED)) == [200]

    def test_with_too_long_a_head_are_rejected(self, server):
        assert list_statuses(server.exchange(POST + b"A: b\r\n" * 20_000)) == [431]
        assert list_statuses(server.exchange(b"GET /" + b"a" * 70_000)) == [414]

    def test_with_too_many_chunks_are_rejected(self, server):
        chunks = b"1\r\nx\r\n" * 25_000 + b"0\r\n\r\n"
        received = server.exchange(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        assert list_statuses(received) == [413]


class TestValidRequests:
    @pytest.mark.parametrize("size", [0, 1, 300_000, 5_000_000])
    @pytest.mark.parametrize("is_chunked", [False, True])
    def test_arrive_whole(self, server, size, is_chunked):
        body = bytes(range(256)) * (size // 256 + 1)
        body = body[:size]
        content = (body[start : start + 10_000] for start in range(0, size, 10_000)) if is_chunked else body
        answer = server.ask("/echo", method="POST", content=content)
        assert answer.json() == {"length": size, "hash": hashlib.sha256(body).hexdigest()}

    def test_arrive_whole_if_sent_byte_by_byte(self, server):
        data = (
            POST + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nSome: trailer\r\n\r\n"
        )
        with server.connect() as client:
            client.setsockopt(6, 1, 1)  # TCP_NODELAY
            for start in range(len(data)):
                client.sendall(data[start : start + 1])
            assert b'"length": 5' in receive_all(client)

    def test_are_answered_in_order_if_pipelined(self, server):
        asked = [b"one", b"two", b"three"]
        requests = [b"GET /say?word=%s HTTP/1.1\r\nHost: here\r\n" % word for word in asked]
        body = POST + b"Content-Length: 5\r\n\r\nhello"
        received = server.exchange(body + b"\r\n".join([*requests, b""])[:-2] + CLOSE + b"\r\n")
        assert re.findall(rb'"length": (\d+)|"word": "(\w+)"', received) == [
            (b"5", b""),
            *[(b"", word) for word in asked],
        ]

    def test_get_100_continue_if_expected(self, server):
        with server.connect(POST + CLOSE + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n") as client:
            assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.sendall(b"hello")
            assert b'"length": 5' in receive_all(client)

    def test_keep_their_connection(self, server):
        with server.connect() as client:
            for word in (b"one", b"two", b"three"):
                client.sendall(b"GET /say?word=%s HTTP/1.1\r\nHost: here\r\n\r\n" % word)
                assert word in receive_until(client, word)

    def test_keep_their_connection_if_a_short_body_was_not_read(self, server):
        request = POST.replace(b"/echo", b"/ignore")
        received = server.exchange(
            request + b"Content-Length: 5\r\n\r\nhello" + request + CLOSE + b"Content-Length: 1\r\n\r\nx"
        )
        assert list_statuses(received) == [200, 200]

    def test_lose_their_connection_if_a_large_body_was_not_read(self, server):
        """The rest of the body must not be parsed as a request."""
        size = 20_000_000
        body = SMUGGLED * (size // len(SMUGGLED) + 1)
        request = POST.replace(b"/echo", b"/ignore") + b"Content-Length: %d\r\n\r\n" % size
        with server.connect(request) as client:
            with contextlib.suppress(OSError):  # the server may close before everything is sent
                client.sendall(body[:size])
            received = receive_all(client)
        assert b"smuggled" not in received
        assert list_statuses(received) in ([200], [])


class TestResponses:
    def test_that_abort_are_not_terminated(self, server):
        received = server.exchange(b"GET /fail HTTP/1.1\r\nHost: here\r\n\r\n")
        assert received.endswith(b"x\r\n")
        assert not received.endswith(b"0\r\n\r\n")

    def test_to_head_requests_have_no_body(self, server):
        answer = server.ask("/say?word=x", method="HEAD")
        assert (answer.status_code, answer.content) == (200, b"")
