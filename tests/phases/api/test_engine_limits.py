"""What a hostile file meets over HTTP: an answer in our shape, and others that are served."""

import io
import logging

import pytest

from phases import engine_pool
from phases.engine_pool import EnginePool
from phases.engine_turns import NoSlotAvailable
from phases.metrics import ENGINE_BUSY
from phases.test_integration import services as engine

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
def little_time(settings):
    """Children that are stopped by nearly anything."""
    settings.ENGINE_CPU_SECONDS = 0.02
    engine_pool.shut_down()
    yield
    engine_pool.shut_down()


@pytest.fixture
def asked(monkeypatch):
    """What came to the children, and was worked on here."""
    tasks = []

    def run(self, task, *, caller):
        tasks.append((task.func.__name__, caller))
        return task()

    monkeypatch.setattr(EnginePool, "run", run)
    return tasks


class TestAFileThatTakesTooLong:
    def test_is_refused_with_what_to_do(self, alice_api, little_time):
        response = alice_api.post(GENERATE, generate_body(targetFileContent="def f(): pass\n" * 20_000))
        assert error_of(response) == (422, "VALIDATION_ERROR")
        assert "Send a smaller file" in response.json()["error"]["message"]

    def test_is_stopped_however_small_it_is(self, alice_api, little_time):
        """Under 4 kB, for which the parser takes over a second."""
        sent = generate_body(
            targetFileContent="${::" * 970,
            framework="mocha",
            language="javascript",
            testSuite={"redTests": [{"testName": "it", "testCode": "f()", "attackVector": "x"}]},
        )
        assert error_of(alice_api.post(GENERATE, sent)) == (422, "VALIDATION_ERROR")
        assert engine_pool._pools

    def test_stops_no_small_one(self, alice_api, mallory_api, little_time):
        mallory_api.post(GENERATE, generate_body(targetFileContent="def f(): pass\n" * 20_000))
        assert alice_api.post(GENERATE, generate_body()).status_code == 200

    def test_is_logged_without_its_text(self, alice_api, little_time):
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        logging.getLogger().addHandler(handler)
        alice_api.post(GENERATE, generate_body(targetFileContent="def secret_of_acme(): pass\n" * 20_000))
        logging.getLogger().removeHandler(handler)
        assert "engine_task_stopped" in stream.getvalue()
        assert "secret_of_acme" not in stream.getvalue()


class TestBusyChildren:
    def test_answer_503_with_retry_after(self, alice_api, monkeypatch):
        def acquire(self, caller, *, seconds):
            raise NoSlotAvailable

        monkeypatch.setattr("phases.engine_turns.SlotQueue.acquire", acquire)
        before = ENGINE_BUSY._value.get()
        response = alice_api.post(GENERATE, generate_body(targetFileContent=LARGE))
        assert error_of(response) == (503, "SERVICE_UNAVAILABLE")
        assert int(response["Retry-After"]) > 0
        assert ENGINE_BUSY._value.get() == before + 1


class TestWhatGoesToAChild:
    def test_is_every_large_request_under_its_customer(self, alice_api, mallory_api, asked):
        paths = [f"tests/test_{number}.py" for number in range(1_500)]
        alice_api.post(GENERATE, generate_body(targetFileContent=LARGE))
        mallory_api.post(ANALYZE, analyze_body(candidateTestFiles=paths))
        alice_api.post(NAMING, {"vulnerableFile": "a" * 19_000, "type": "x", "framework": "pytest"})
        assert asked == [
            ("generate", str(alice_api.customer.pk)),
            ("analyze", str(mallory_api.customer.pk)),
            ("name_test_file", str(alice_api.customer.pk)),
        ]

    def test_is_a_large_manifest_whoever_sends_it_without_a_key(self, client, db, asked):
        sent = {"gemfile": 'gem "rspec"\n' + "# x\n" * 2_000}
        assert client.post(DETECT, sent, content_type="application/json").status_code == 200
        assert asked == [("detect_framework", "")]

    def test_is_no_usual_question(self, alice_api, asked):
        paths = [f"tests/users/test_orders_controller_{number}.py" for number in range(200)]
        assert alice_api.post(ANALYZE, analyze_body(candidateTestFiles=paths)).status_code == 200
        assert asked == []

    def test_is_every_file_that_gets_a_test(self, alice_api, asked):
        assert alice_api.post(GENERATE, generate_body(targetFileContent="")).status_code == 200
        assert asked == [("generate", str(alice_api.customer.pk))]

    def test_comes_back_as_from_the_engine_itself(self, alice_api):
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

    def test_is_refused_as_by_the_engine_itself(self, alice_api):
        response = alice_api.post(GENERATE, generate_body(targetFileContent=LARGE, framework="nose"))
        assert error_of(response) == (400, "INVALID_REQUEST")
        assert "unsupported framework" in response.json()["error"]["message"]
