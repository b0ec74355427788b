import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sandbox.load.requests import TimedRequest, send_all, send_in_sequence


class Handler(BaseHTTPRequestHandler):
    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(int(self.path.rpartition("/")[2]))
        body = b'{"error": {"code": "RATE_LIMITED"}}' if self.path.endswith("429") else b"{}"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Handler.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def get(path: str, **more: object) -> TimedRequest:
    return TimedRequest(path, method="GET", **more)


class TestSendAll:
    def test_returns_results_in_the_order_of_the_requests(self, url) -> None:
        answers = send_all(url, [get("/200", due=0.02), get("/503"), get("/429")])
        assert [answer.error for answer in answers] == ["", "503", "429 RATE_LIMITED"]

    def test_only_the_expected_status_is_a_success(self, url) -> None:
        assert send_all(url, [get("/200", expected=201)])[0].error == "200"

    def test_the_response_may_be_checked(self, url) -> None:
        request = get("/200", find_problem=lambda answer: f"said {answer.text}")
        assert send_all(url, [request])[0].error == "said {}"

    def test_no_response_is_an_error(self) -> None:
        assert send_all("http://127.0.0.1:9", [get("/200")])[0].error == "ConnectError"


class TestSendInSequence:
    def test_sends_each_series_in_its_order(self, url) -> None:
        send_in_sequence(url, [[get("/a/200"), get("/b/200")], [get("/c/200")]])
        assert sorted(Handler.seen) == ["/a/200", "/b/200", "/c/200"]
        assert Handler.seen.index("/a/200") < Handler.seen.index("/b/200")
