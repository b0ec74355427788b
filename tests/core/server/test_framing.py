"""The end of a request body is found, however its bytes arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.server.framing import ChunkedBody, FixedLengthBody, TooManyChunks

MOST = 100
NEXT = b"GET /next HTTP/1.1\r\n\r\n"


def take(ending, data, cuts=()):
    """Return how many bytes belong to the body if the data arrive in pieces cut at `cuts`."""
    taken, edges = 0, [0, *sorted(cuts), len(data)]
    for start, end in zip(edges, edges[1:], strict=False):
        piece = memoryview(data[start:end])
        while piece and not ending.is_found:
            step = ending.take(piece)
            taken += step
            piece = piece[step:]
    return taken


def encode(chunks, trailers=()):
    lines = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]
    return b"".join([*lines, b"0\r\n", *trailers, b"\r\n"])


class TestLength:
    @given(body=st.binary(), cuts=st.lists(st.integers(0, 60), max_size=5))
    def test_ends_after_the_content_length(self, body, cuts):
        assert take(FixedLengthBody(len(body)), body + NEXT, cuts) == len(body)

    def test_of_zero_is_found_at_once(self):
        assert FixedLengthBody(0).is_found


class TestChunks:
    @given(
        chunks=st.lists(st.binary(min_size=1), max_size=5),
        trailers=st.lists(st.just(b"Some: trailer\r\n"), max_size=2),
        cuts=st.lists(st.integers(0, 80), max_size=8),
    )
    def test_end_where_the_next_request_begins(self, chunks, trailers, cuts):
        body = encode(chunks, trailers)
        ending = ChunkedBody(MOST)
        assert take(ending, body + NEXT, cuts) == len(body)
        assert ending.is_found

    @given(st.integers(0, 30))
    def test_do_not_end_before_the_last_chunk(self, missing):
        body = encode([b"some", b"bytes"])
        ending = ChunkedBody(MOST)
        take(ending, body[: -1 - missing])
        assert not ending.is_found

    def test_may_have_extensions(self):
        ending = ChunkedBody(MOST)
        take(ending, b'4 ;name="value"\r\nsome\r\n0\r\n\r\n')
        assert ending.is_found

    @pytest.mark.parametrize(
        "malformed",
        [
            b"nonsense\r\n",
            b"-1\r\n",
            b"0x5\r\n",
            b"+5\r\n",
            b"5\n",
            b"\r\n",
            b"5 5\r\n",
            b"11111111111111111\r\n",
            b"5;" + b"x" * 9000,
        ],
    )
    def test_end_at_the_first_malformed_chunk(self, malformed):
        ending = ChunkedBody(MOST)
        take(ending, malformed)
        assert ending.is_found

    def test_are_limited_in_number(self):
        with pytest.raises(TooManyChunks):
            take(ChunkedBody(MOST), b"1\r\nx\r\n" * (MOST + 1))
