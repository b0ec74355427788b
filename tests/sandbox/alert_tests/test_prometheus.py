import httpx
import pytest

from sandbox.alert_tests import prometheus
from sandbox.alert_tests.prometheus import Prometheus
from sandbox.processes import NotReady


@pytest.fixture
def answers(monkeypatch):
    """Return the list of responses to successive requests. An exception in it is raised."""
    given = []

    def get(url, **_):
        answer = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(answer, Exception):
            raise answer
        status, data = answer
        return httpx.Response(status, json={"data": data}, request=httpx.Request("GET", url))

    monkeypatch.setattr(prometheus.httpx, "get", get)
    monkeypatch.setattr(prometheus, "ANSWER_SECONDS", 1)
    return given


@pytest.fixture
def server(tmp_path):
    return Prometheus(tmp_path, 9090, "127.0.0.1:8000", "token")


def make_sample(value, **labels):
    return {"metric": {"__name__": "up", "job": "rsolv-web"} | labels, "value": [1, value]}


class TestQuery:
    def test_leaves_out_samples_without_a_value(self, server, answers):
        answers.append((200, {"result": [make_sample("NaN"), make_sample("2")]}))
        assert server.query("up") == [make_sample("2")]

    def test_retries_while_prometheus_is_slow_or_starting(self, server, answers):
        answers += [httpx.ReadTimeout("slow"), (503, {}), (200, {"result": [make_sample("1")]})]
        assert len(server.query("up")) == 1

    def test_raises_after_the_timeout(self, server, answers):
        answers.append(httpx.ConnectError("rejected"))
        with pytest.raises(NotReady, match="rejected"):
            server.query("up")


class TestDescribeMetrics:
    def test_shows_values_with_their_labels(self, server, answers):
        answers.append((200, {"result": [make_sample("1", service="cache"), make_sample("0")]}))
        assert server.describe_metrics("up == 0") == "up = {service=cache} 1, 0"

    def test_names_metrics_without_a_value(self, server, answers):
        answers.append((200, {"result": []}))
        assert server.describe_metrics("a_total > 1") == "a_total has no value; up has no value"
