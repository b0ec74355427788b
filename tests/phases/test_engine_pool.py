"""The engine's real child processes are stopped, replaced, shared and ended."""

import contextlib
import ctypes
import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from phases import engine_pool
from phases.engine_child import Limits
from phases.engine_pool import EngineBusy, EnginePool, TooExpensive
from phases.engine_processes import ForkServer
from phases.test_integration import services as engine
from phases.test_integration.errors import (
    InvalidValue,
    TargetRejected,
    TestIntegrationError,
    UnsupportedFramework,
)
from phases.test_integration.read.red_tests import MAX_TESTS
from tests.core.metrics.pages import Growth

RED = {"testName": "is safe", "testCode": "check(1)", "attackVector": "x"}
SPIN = partial(sum, itertools.repeat(0))  # runs in C forever and holds the GIL
FILL = partial(list, itertools.repeat(0))
SLEEP = partial(time.sleep, 3600)
CRASH = partial(ctypes.string_at, 0)
# More than half of the CPU limit of 0.3 s.
BUSY = partial(exec, "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass")
WORK = partial(engine.name_test_file, vulnerable_file="a.py", vulnerability_type="xss", framework="pytest")
GET_PID = partial(os.getpid)
GET_FORK_SERVER = partial(os.getppid)


@pytest.fixture
def make_pool():
    """Makes pools, which are closed after the test."""
    with ExitStack() as made:

        def make(**options):
            limits = Limits(cpu_seconds=0.3, memory_bytes=64 * 1024 * 1024)
            usual = {"processes": 2, "requests": 2, "limits": limits, "wait_seconds": 60, "max_seconds": 60}
            return made.enter_context(closing(EnginePool(**usual | options)))

        yield make


@pytest.fixture
def pool(make_pool):
    return make_pool()


def generate(text, framework="pytest", language="python", tests=1):
    named = [RED | {"testName": f"is safe {number}"} for number in range(tests)]
    return partial(
        engine.generate, target_file_content=text, red_tests=named, framework=framework, language=language
    )


def exists(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def wait_until(is_so, seconds=20):
    until = time.monotonic() + seconds
    while not is_so() and time.monotonic() < until:
        time.sleep(0.02)
    return is_so()


def is_suspect(pool, caller, tmp_path):
    """Whether a second task of the caller is rejected instead of waiting for the first."""
    started = tmp_path / f"{caller}-started"
    thread = threading.Thread(target=pool.run, args=[sleep_after(started, 0.5)], kwargs={"caller": caller})
    thread.start()
    assert wait_until(started.exists)
    try:
        pool.run(WORK, caller=caller)
    except EngineBusy:
        return True
    finally:
        thread.join()
    return False


def sleep_after(path, seconds):
    """A task that creates the file when it starts, then sleeps."""
    return partial(exec, f"import time\nopen({str(path)!r}, 'w').close()\ntime.sleep({seconds})")


class TestResult:
    @pytest.mark.parametrize(
        "task",
        [
            WORK,
            generate("def test_a():\n    assert 1\n"),
            generate("describe('a', () => { it('b', () => {}) })", "jest", "javascript"),
            generate("assert (\n"),
            partial(engine.analyze, vulnerable_file="a.rb", candidate_test_files=["b.rb"], framework="rspec"),
            partial(engine.detect_framework, {"requirementsTxt": "pytest==7.0.0"}),
        ],
        ids=range(6),
    )
    def test_equals_that_of_the_engine(self, pool, task):
        def answer(ask):
            try:
                return ask()
            except TargetRejected as error:
                return error.message

        assert answer(lambda: pool.run(task, caller="a")) == answer(task)

    @pytest.mark.parametrize(
        ("task", "kind", "field"),
        [
            (partial(WORK, framework="nose"), UnsupportedFramework, "framework"),
            (partial(WORK, vulnerable_file=7), InvalidValue, "vulnerableFile"),
            (generate("x\n" * 250_000), TargetRejected, "targetFileContent"),
        ],
    )
    def test_error_equals_that_of_the_engine(self, pool, task, kind, field):
        with pytest.raises(kind) as here:
            task()
        with pytest.raises(kind) as there:
            pool.run(task, caller="a")
        assert (there.value.code, there.value.status, there.value.message, there.value.fields) == (
            here.value.code,
            here.value.status,
            here.value.message,
            here.value.fields,
        )
        assert there.value.field == field

    def test_contains_only_plain_values_and_classes_of_the_engine(self, pool):
        with pytest.raises(pickle.UnpicklingError):
            pool.run(partial(os.stat, "/"), caller="a")
        assert pool.run(WORK, caller="a") == WORK()

    def test_unexpected_error_contains_no_customer_text(self, pool):
        with pytest.raises(Exception, match=r"^ValueError$") as failed:
            pool.run(partial(int, "the customer's text"), caller="a")
        assert "customer" not in failed.value.frames


class TestHostileInput:
    @pytest.mark.parametrize(
        ("task", "reason"),
        [
            (SPIN, "cpu"),
            (partial(pow, 3, 10**10), "cpu"),
            (FILL, "memory"),
            (partial(bytes, 10**12), "memory"),
            (CRASH, "crash"),
            (SLEEP, "overdue"),
        ],
    )
    def test_is_stopped_counted_and_raises(self, make_pool, task, reason):
        pool = make_pool(max_seconds=1 if reason == "overdue" else 60)
        stopped = Growth("rsolv_engine_tasks_stopped_total", reason=reason)
        with pytest.raises(TooExpensive):
            pool.run(task, caller="a")
        assert stopped.so_far == 1

    def test_does_not_block_the_next_task_of_its_caller(self, pool):
        with pytest.raises(TooExpensive):
            pool.run(FILL, caller="a")
        assert pool.run(WORK, caller="a") == WORK()

    def test_with_deep_nesting_does_not_affect_others(self, pool):
        with contextlib.suppress(TooExpensive, TargetRejected):
            pool.run(generate("(" * 1_500_000, "rspec", "ruby"), caller="a")
        assert pool.run(WORK, caller="a") == WORK()

    def test_uses_no_memory_of_this_process(self, pool):
        def measure():
            return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

        pool.run(WORK, caller="a")
        before = measure()
        with pytest.raises(TooExpensive):
            pool.run(FILL, caller="a")
        assert measure() - before < 8 * 1024 * 1024

    def test_does_not_delay_others(self, make_pool):
        """The other callers get their results before the hostile task ends."""
        pool = make_pool(max_seconds=4)
        pool.run(WORK, caller="others")
        ends = []

        def attack():
            with pytest.raises(TooExpensive):
                pool.run(SLEEP, caller="hostile")
            ends.append("hostile")

        thread = threading.Thread(target=attack)
        thread.start()
        for _ in range(20):
            assert pool.run(WORK, caller="others") == WORK()
        ends.append("others")
        thread.join()
        assert ends == ["others", "hostile"]

    def test_leaves_a_slot_to_other_callers(self, make_pool, tmp_path):
        """A second task of the same caller has to wait."""
        pool = make_pool(wait_seconds=0.1, max_seconds=2)
        started = tmp_path / "started"
        task = sleep_after(started, 3600)
        thread = threading.Thread(
            target=lambda: pytest.raises(TooExpensive, pool.run, task, caller="hostile")
        )
        thread.start()
        assert wait_until(started.exists)
        with pytest.raises(EngineBusy) as busy:
            pool.run(WORK, caller="hostile")
        assert busy.value.retry_after
        assert pool.run(WORK, caller="others") == WORK()
        thread.join()

    def test_just_below_the_limit_makes_its_caller_suspect(self, pool, tmp_path):
        pool.run(BUSY, caller="hostile")
        assert is_suspect(pool, "hostile", tmp_path)

    def test_rejected_late_by_the_engine_makes_its_caller_suspect(self, make_pool, monkeypatch, tmp_path):
        monkeypatch.setattr(engine_pool, "SUSPECT_SHARE", 0.00125)  # 10 ms of the CPU limit
        pool = make_pool(limits=Limits(cpu_seconds=8, memory_bytes=128 * 1024 * 1024))
        hostile = generate("it(2,()=>{foo(1)});\n" * 2_000, "jest", "javascript", tests=MAX_TESTS)
        with pytest.raises(TestIntegrationError):
            pool.run(hostile, caller="hostile")
        assert is_suspect(pool, "hostile", tmp_path)

    def test_ordinary_tasks_do_not_make_a_caller_suspect(self, pool, tmp_path):
        for _ in range(20):
            pool.run(generate("def test_a():\n    assert 1\n" * 100), caller="a")
        assert not is_suspect(pool, "a", tmp_path)


class TestBurst:
    def test_of_one_customer_is_served_completely(self, make_pool):
        """More requests than a web process has threads, before the engine is loaded."""
        pool = make_pool(wait_seconds=2)
        with ThreadPoolExecutor(8) as threads:
            sent = [threads.submit(pool.run, WORK, caller="a") for _ in range(8)]
        assert [each.result() for each in sent] == [WORK()] * 8


class TestChild:
    def test_is_replaced_after_being_killed(self, pool):
        first = pool.run(GET_PID, caller="a")
        os.kill(first, signal.SIGKILL)
        assert pool.run(GET_PID, caller="a") != first

    def test_killed_repeatedly_raises_engine_busy(self, pool):
        kill_itself = partial(eval, "__import__('os').kill(__import__('os').getpid(), 9)")
        with pytest.raises(EngineBusy):
            pool.run(kill_itself, caller="a")
        assert pool.run(WORK, caller="a") == WORK()

    def test_is_replaced_after_its_fork_server_was_killed(self, pool):
        child = pool.run(GET_PID, caller="a")
        fork_server = pool.run(GET_FORK_SERVER, caller="a")
        os.kill(fork_server, signal.SIGKILL)
        assert wait_until(lambda: not exists(child))
        assert pool.run(GET_PID, caller="a") != child
        assert pool.run(GET_FORK_SERVER, caller="a") != fork_server

    def test_of_an_ended_fork_server_does_not_kill_a_reused_process_id(self):
        """Another process may have that id by now: it must not be killed. The new fork server must work."""
        fork_server = ForkServer(Limits(cpu_seconds=1, memory_bytes=64 * 1024 * 1024))
        child = fork_server.fork()
        child.release()
        fork_server.close()
        stranger = subprocess.Popen(["sleep", "60"])
        child.pid = stranger.pid
        assert child.end() == -signal.SIGKILL
        assert stranger.poll() is None
        assert fork_server.fork().run(WORK, seconds=60) == WORK()
        fork_server.close()
        stranger.kill()
        stranger.wait()

    def test_is_replaced_after_its_memory_has_grown(self, pool):
        first = pool.run(GET_PID, caller="a")
        pool.run(partial(len, bytes(30_000_000)), caller="a")
        assert pool.run(GET_PID, caller="a") != first
        assert wait_until(lambda: not exists(first))

    def test_has_no_secrets_and_no_django(self, make_pool, monkeypatch):
        monkeypatch.setenv("RSOLV_SECRET_KEY", "secret")
        pool = make_pool()
        assert pool.run(partial(os.getenv, "RSOLV_SECRET_KEY"), caller="a") is None
        loaded = pool.run(partial(eval, "list(__import__('sys').modules)"), caller="a")
        assert {"django", "celery", "stripe", "redis", "psycopg"}.isdisjoint(loaded)

    def test_is_reused_for_thousands_of_tasks(self, pool):
        open_files = None
        seen = set()
        for number in range(2_500):
            seen.add(pool.run(GET_PID, caller="a"))
            if number == 10:
                open_files = len(os.listdir("/proc/self/fd"))
        assert 1 < len(seen) < 6
        assert len(os.listdir("/proc/self/fd")) <= open_files
        fork_server = pool.run(GET_FORK_SERVER, caller="a")
        children = Path(f"/proc/{fork_server}/task/{fork_server}/children")
        assert len(children.read_text().split()) == 1

    def test_ends_with_its_pool(self, pool):
        child, fork_server = (pool.run(task, caller="a") for task in (GET_PID, GET_FORK_SERVER))
        pool.close()
        assert wait_until(lambda: not exists(child) and not exists(fork_server))

    def test_ends_with_its_killed_parent_even_if_busy(self):
        program = (
            "import threading, time, os\n"
            "from functools import partial\n"
            "from phases.engine_child import Limits\n"
            "from phases.engine_processes import ForkServer\n"
            "child = ForkServer(Limits(60, 2**27)).fork()\n"
            "print(child.pid, child.run(partial(os.getppid), seconds=60), flush=True)\n"
            "child.run(partial(time.sleep, 60), seconds=60)\n"
        )
        parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2 and all(map(exists, pids))
        parent.kill()
        parent.communicate()
        assert wait_until(lambda: not any(map(exists, pids)))


class TestForkedProcess:
    def test_does_not_inherit_the_pool(self):
        run = partial(engine_pool.run, GET_FORK_SERVER, caller="a", is_small=False)
        inherited = run()
        child = os.fork()
        if child == 0:
            exit_code = 2
            try:
                exit_code = int(run() == inherited)
                engine_pool.shut_down()
            finally:
                os._exit(exit_code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert run() == inherited


class TestRun:
    def test_runs_in_this_process_without_child_processes(self, settings):
        settings.ENGINE_PROCESSES = 0
        assert engine_pool.run(GET_PID, caller="a", is_small=False) == os.getpid()

    def test_runs_small_tasks_in_this_process(self):
        assert engine_pool.run(GET_PID, caller="a", is_small=True) == os.getpid()

    def test_runs_large_tasks_in_a_child(self):
        assert engine_pool.run(GET_PID, caller="a", is_small=False) != os.getpid()

    @pytest.mark.parametrize("error", [RecursionError, MemoryError])
    def test_raises_too_expensive_in_this_process(self, error):
        def fail():
            raise error

        with pytest.raises(TooExpensive):
            engine_pool.run(partial(fail), caller="a", is_small=True)
