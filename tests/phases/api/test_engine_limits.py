"""Hostile files over HTTP get a regular error response and do not delay others."""

import io
import logging

import pytest

from phases import engine_pool
from phases.engine_pool import EnginePool
from phases.engine_turns import NoSlotAvailable
from phases.test_integration import services as engine
from tests.core.metrics.pages import Growth

from .test_test_integration import (
    ANALYZE,
    DETECT,
    GENERATE,
    NAMING,
    OLD,
    analyze_body,
    error_of,
    generate_body,
)

LARGE = "\n" + "value = 1\n" * 2_400


@pytest.fixture
def low_cpu_limit(settings):
    """Child processes with a CPU limit that almost every task exceeds."""
    settings.ENGINE_CPU_SECONDS = 0.02
    engine_pool.shut_down()
    yield
    engine_pool.shut_down()


@pytest.fixture
def sent_to_pool(monkeypatch):
    """Record the tasks for child processes, and run them in this process."""
    tasks = []

    def run(self, task, *, caller):
        tasks.append((task.func.__name__, caller))
        return task()

    monkeypatch.setattr(EnginePool, "run", run)
    return tasks


class TestTooExpensiveFile:
    def test_is_rejected_with_advice(self, alice_api, low_cpu_limit):
        response = alice_api.post(GENERATE, generate_body(targetFileContent="def f(): pass\n" * 20_000))
        assert error_of(response) == (422, "VALIDATION_ERROR")
        assert "Send a smaller file" in response.json()["error"]["message"]

    def test_is_stopped_even_if_small(self, alice_api, low_cpu_limit):
        """Less than 4 kB, but the parser takes more than a second."""
        sent = generate_body(
            targetFileContent="${::" * 970,
            framework="mocha",
            language="javascript",
            testSuite={"redTests": [{"testName": "it", "testCode": "f()", "attackVector": "x"}]},
        )
        stopped = Growth("rsolv_engine_tasks_stopped_total", reason="cpu")
        assert error_of(alice_api.post(GENERATE, sent)) == (422, "VALIDATION_ERROR")
        assert stopped.so_far == 1

    def test_does_not_stop_a_small_file(self, alice_api, mallory_api, low_cpu_limit):
        mallory_api.post(GENERATE, generate_body(targetFileContent="def f(): pass\n" * 20_000))
        assert alice_api.post(GENERATE, generate_body()).status_code == 200

    def test_is_logged_without_its_content(self, alice_api, low_cpu_limit):
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        logging.getLogger().addHandler(handler)
        alice_api.post(GENERATE, generate_body(targetFileContent="def secret_of_acme(): pass\n" * 20_000))
        logging.getLogger().removeHandler(handler)
        assert "engine_task_stopped" in stream.getvalue()
        assert "secret_of_acme" not in stream.getvalue()


class TestBusyPool:
    def test_returns_503_with_retry_after(self, alice_api, monkeypatch):
        def acquire(self, caller, *, seconds):
            raise NoSlotAvailable

        monkeypatch.setattr("phases.engine_turns.SlotQueue.acquire", acquire)
        busy = Growth("rsolv_engine_busy_total")
        response = alice_api.post(GENERATE, generate_body(targetFileContent=LARGE))
        assert error_of(response) == (503, "SERVICE_UNAVAILABLE")
        assert int(response["Retry-After"]) > 0
        assert busy.so_far == 1


class TestChildProcess:
    def test_runs_every_large_request_on_behalf_of_its_customer(self, alice_api, mallory_api, sent_to_pool):
        paths = [f"tests/test_{number}.py" for number in range(1_500)]
        alice_api.post(GENERATE, generate_body(targetFileContent=LARGE))
        mallory_api.post(ANALYZE, analyze_body(candidateTestFiles=paths))
        alice_api.post(NAMING, {"vulnerableFile": "a" * 19_000, "type": "x", "framework": "pytest"})
        assert sent_to_pool == [
            ("generate", str(alice_api.customer.pk)),
            ("analyze", str(mallory_api.customer.pk)),
            ("name_test_file", str(alice_api.customer.pk)),
        ]

    def test_runs_a_large_anonymous_manifest(self, client, db, sent_to_pool):
        sent = {"gemfile": 'gem "rspec"\n' + "# x\n" * 2_000}
        assert client.post(DETECT, sent, content_type="application/json").status_code == 200
        assert sent_to_pool == [("detect_framework", "")]

    def test_does_not_run_typical_requests(self, alice_api, sent_to_pool):
        paths = [f"tests/users/test_orders_controller_{number}.py" for number in range(200)]
        assert alice_api.post(ANALYZE, analyze_body(candidateTestFiles=paths)).status_code == 200
        assert sent_to_pool == []

    def test_runs_every_test_insertion(self, alice_api, sent_to_pool):
        assert alice_api.post(GENERATE, generate_body(targetFileContent="")).status_code == 200
        assert sent_to_pool == [("generate", str(alice_api.customer.pk))]

    def test_returns_the_same_result_as_the_engine(self, alice_api):
        sent = generate_body(targetFileContent=OLD + LARGE)
        answer = alice_api.post(GENERATE, sent).json()
        made = engine.generate(
            target_file_content=OLD + LARGE,
            red_tests=sent["testSuite"]["redTests"],
            framework="pytest",
            language="python",
        )
        assert answer["integratedContent"] == made.content
        assert answer["insertionPoint"]["line"] == made.point.line

    def test_returns_the_same_error_as_the_engine(self, alice_api):
        response = alice_api.post(GENERATE, generate_body(targetFileContent=LARGE, framework="nose"))
        assert error_of(response) == (400, "INVALID_REQUEST")
        assert "unsupported framework" in response.json()["error"]["message"]
