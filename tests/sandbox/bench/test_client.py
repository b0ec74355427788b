import sys
from collections.abc import Iterator

import pytest

from sandbox.bench.client import Case, Client, UnexpectedResponse
from sandbox.processes import Supervisor, is_port_free, pick_any_port

REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"


@pytest.fixture
def client() -> Iterator[Client]:
    port = pick_any_port()
    with Supervisor(environment={}) as supervisor:
        supervisor.start("echo", [sys.executable, "-m", "sandbox.bench.echo_server", str(port)])
        supervisor.wait_for("the echo server", lambda: not is_port_free(port))
        yield Client("127.0.0.1", port)


class TestClient:
    def test_measures_each_request(self, client: Client) -> None:
        seconds = client.measure_latencies(Case("echo", lambda _: REQUEST, b'"ok"'), 3)
        assert len(seconds) == 3

    def test_counts_responses_on_all_connections(self, client: Client) -> None:
        case = Case("echo", lambda _: REQUEST, b'"ok"')
        rate = client.measure_rate(case, connections=4, seconds=0.05)
        assert rate * 0.05 <= client.sent["echo"]

    def test_raises_for_a_response_without_the_expected_text(self, client: Client) -> None:
        with pytest.raises(UnexpectedResponse, match="echo"):
            client.fetch(Case("echo", lambda _: REQUEST, b'"other"'))

    def test_numbers_the_requests(self, client: Client) -> None:
        made: list[int] = []

        def make(number: int) -> bytes:
            made.append(number)
            return REQUEST

        client.measure_latencies(Case("echo", make, b"ok"), 2)
        client.fetch(Case("echo", make, b"ok"))
        assert made == [0, 1, 2]
