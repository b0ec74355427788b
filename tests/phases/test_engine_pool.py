"""The engine's children, real ones: they are stopped, replaced, shared and ended."""

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
from functools import partial
from pathlib import Path

import pytest

from phases import engine_pool
from phases.engine_child import Limits
from phases.engine_pool import EngineBusy, EnginePool, TooExpensive
from phases.metrics import ENGINE_STOPPED
from phases.test_integration import services as engine
from phases.test_integration.errors import (
    InvalidValue,
    TargetRefused,
    TestIntegrationError,
    UnsupportedFramework,
)

RED = {"testName": "is safe", "testCode": "check(1)", "attackVector": "x"}
SPIN = partial(sum, itertools.repeat(0))  # in C, with the GIL held, for ever
FILL = partial(list, itertools.repeat(0))
SLEEP = partial(time.sleep, 3600)
CRASH = partial(ctypes.string_at, 0)
# More than half of the 0.3 s that a task may have.
BUSY = partial(exec, "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass")
WORK = partial(engine.name_test_file, vulnerable_file="a.py", vulnerability_type="xss", framework="pytest")
WHO = partial(os.getpid)


def make_pool(**options):
    limits = Limits(cpu_seconds=0.3, memory_bytes=64 * 1024 * 1024)
    usual = {"processes": 2, "requests": 2, "limits": limits, "wait_seconds": 60, "max_seconds": 60}
    return EnginePool(**usual | options)


@pytest.fixture
def pool():
    made = make_pool()
    yield made
    made.close()


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


def stopped(reason):
    return ENGINE_STOPPED.labels(reason)._value.get()


class TestAnswers:
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
    def test_are_those_of_the_engine_itself(self, pool, task):
        def answer(ask):
            try:
                return ask()
            except TargetRefused as error:
                return error.message

        assert answer(lambda: pool.run(task, caller="a")) == answer(task)

    @pytest.mark.parametrize(
        ("task", "kind", "field"),
        [
            (partial(WORK, framework="nose"), UnsupportedFramework, "framework"),
            (partial(WORK, vulnerable_file=7), InvalidValue, "vulnerableFile"),
            (generate("x\n" * 250_000), TargetRefused, "targetFileContent"),
        ],
    )
    def test_are_its_errors_with_all_they_say(self, pool, task, kind, field):
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

    def test_are_nothing_but_values_and_the_engine_s_own_classes(self, pool):
        with pytest.raises(pickle.UnpicklingError):
            pool.run(partial(os.stat, "/"), caller="a")
        assert pool.run(WORK, caller="a") == WORK()

    def test_of_an_engine_that_fails_hold_nothing_of_the_text(self, pool):
        with pytest.raises(Exception, match=r"^ValueError$") as failed:
            pool.run(partial(int, "the customer's text"), caller="a")
        assert "customer" not in failed.value.frames


class TestAHostileInput:
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
    def test_is_stopped_counted_and_costs_its_sender_an_error(self, task, reason):
        pool = make_pool(max_seconds=1 if reason == "overdue" else 60)
        before = stopped(reason)
        with pytest.raises(TooExpensive):
            pool.run(task, caller="a")
        assert stopped(reason) == before + 1
        pool.close()

    def test_leaves_its_sender_the_next_one(self, pool):
        with pytest.raises(TooExpensive):
            pool.run(FILL, caller="a")
        assert pool.run(WORK, caller="a") == WORK()

    def test_that_is_nested_ever_deeper_reaches_no_one_else(self, pool):
        with contextlib.suppress(TooExpensive, TargetRefused):
            pool.run(generate("(" * 1_500_000, "rspec", "ruby"), caller="a")
        assert pool.run(WORK, caller="a") == WORK()

    def test_costs_this_process_no_memory(self, pool):
        def measure():
            return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

        pool.run(WORK, caller="a")
        before = measure()
        with pytest.raises(TooExpensive):
            pool.run(FILL, caller="a")
        assert measure() - before < 8 * 1024 * 1024

    def test_holds_nobody_else_up(self):
        """The others are answered before the hostile one has ended."""
        pool = make_pool(max_seconds=10)
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
        pool.close()
        assert ends == ["others", "hostile"]

    def test_of_one_sender_waits_for_the_other_of_the_same(self):
        """So that one place is left, whatever one sender asks at once."""
        pool = make_pool(wait_seconds=0.1, max_seconds=5)
        thread = threading.Thread(
            target=lambda: pytest.raises(TooExpensive, pool.run, SLEEP, caller="hostile")
        )
        thread.start()
        assert wait_until(lambda: pool._slots._running["hostile"])
        with pytest.raises(EngineBusy) as busy:
            pool.run(WORK, caller="hostile")
        assert busy.value.retry_after
        pool._wait_seconds = 60
        assert pool.run(WORK, caller="others") == WORK()
        thread.join()
        pool.close()

    def test_just_below_the_limit_makes_its_sender_a_suspect(self, pool):
        """Of several that they send at once, all but one are refused at once."""
        pool.run(BUSY, caller="hostile")
        assert pool._slots._is_suspect("hostile")

    def test_that_the_engine_refuses_late_makes_its_sender_a_suspect_too(self):
        pool = make_pool(limits=Limits(cpu_seconds=8, memory_bytes=128 * 1024 * 1024))
        pool._slots._suspect_seconds = 0.01
        hostile = generate("it(2,()=>{foo(1)});\n" * 2_000, "jest", "javascript", tests=20)
        with pytest.raises(TestIntegrationError):
            pool.run(hostile, caller="hostile")
        assert pool._slots._is_suspect("hostile")
        pool.close()

    def test_that_is_ordinary_makes_no_suspect(self, pool):
        for _ in range(20):
            pool.run(generate("def test_a():\n    assert 1\n" * 100), caller="a")
        assert not pool._slots._is_suspect("a")


class TestABurst:
    def test_of_one_customer_is_served_whole(self):
        """More at once than a web process has threads, and before the engine is loaded."""
        pool = make_pool(wait_seconds=2)
        with ThreadPoolExecutor(8) as threads:
            sent = [threads.submit(pool.run, WORK, caller="a") for _ in range(8)]
        assert [each.result() for each in sent] == [WORK()] * 8
        pool.close()


class TestAChild:
    def test_that_somebody_ended_is_replaced(self, pool):
        first = pool.run(WHO, caller="a")
        os.kill(first, signal.SIGKILL)
        assert pool.run(WHO, caller="a") != first

    def test_that_ends_again_and_again_leaves_the_engine_busy(self, pool):
        suicide = partial(eval, "__import__('os').kill(__import__('os').getpid(), 9)")
        with pytest.raises(EngineBusy):
            pool.run(suicide, caller="a")
        assert pool.run(WORK, caller="a") == WORK()

    def test_whose_fork_server_ended_is_replaced_by_another_s(self, pool):
        child = pool.run(WHO, caller="a")
        fork_server = pool._fork_server._popen.pid
        os.kill(fork_server, signal.SIGKILL)
        assert wait_until(lambda: not exists(child))
        assert pool.run(WHO, caller="a") != child
        assert pool._fork_server._popen.pid != fork_server

    def test_of_a_fork_server_that_ended_is_not_looked_for_among_other_processes(self, pool):
        """Its number may be a stranger's by then, who is not to be killed, nor to end the new fork server."""
        child = pool._fork_server.fork()
        child._connection.close()
        pool._fork_server.close()
        stranger = subprocess.Popen(["sleep", "60"])
        child.pid = stranger.pid
        assert child.end() == -signal.SIGKILL
        assert stranger.poll() is None
        assert pool.run(WORK, caller="a") == WORK()
        stranger.kill()
        stranger.wait()

    def test_that_has_grown_makes_room_for_a_fresh_one(self, pool):
        first = pool.run(WHO, caller="a")
        pool.run(partial(len, bytes(30_000_000)), caller="a")
        assert pool.run(WHO, caller="a") != first
        assert wait_until(lambda: not exists(first))

    def test_knows_no_secret_and_no_django(self, monkeypatch):
        monkeypatch.setenv("RSOLV_SECRET_KEY", "secret")
        pool = make_pool()
        assert pool.run(partial(os.getenv, "RSOLV_SECRET_KEY"), caller="a") is None
        loaded = pool.run(partial(eval, "list(__import__('sys').modules)"), caller="a")
        assert {"django", "celery", "stripe", "redis", "psycopg"}.isdisjoint(loaded)
        pool.close()

    def test_is_one_of_few_after_thousands_of_tasks(self, pool):
        open_files = None
        seen = set()
        for number in range(2_500):
            seen.add(pool.run(WHO, caller="a"))
            if number == 10:
                open_files = len(os.listdir("/proc/self/fd"))
        assert 1 < len(seen) < 6
        assert len(os.listdir("/proc/self/fd")) <= open_files
        children = Path(f"/proc/{pool._fork_server._popen.pid}/task/{pool._fork_server._popen.pid}/children")
        assert len(children.read_text().split()) == 1

    def test_ends_with_its_pool(self, pool):
        child, fork_server = pool.run(WHO, caller="a"), pool._fork_server._popen.pid
        pool.close()
        assert wait_until(lambda: not exists(child) and not exists(fork_server))

    def test_ends_with_a_process_that_is_killed_however_busy_it_is(self):
        program = (
            "import threading, time, os\n"
            "from functools import partial\n"
            "from phases.engine_child import Limits\n"
            "from phases.engine_processes import ForkServer\n"
            "child = ForkServer(Limits(60, 2**27)).fork()\n"
            "print(child.pid, child._fork_server._popen.pid, flush=True)\n"
            "child.run(partial(time.sleep, 60), seconds=60)\n"
        )
        parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2 and all(map(exists, pids))
        parent.kill()
        parent.communicate()
        assert wait_until(lambda: not any(map(exists, pids)))


class TestAForkedProcess:
    def test_has_no_pool_of_its_parent_s(self):
        engine_pool.warm_up()
        child = os.fork()
        if child == 0:
            os._exit(len(engine_pool._pools))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class TestRun:
    def test_works_here_where_no_processes_are_wanted(self, settings):
        settings.ENGINE_PROCESSES = 0
        assert engine_pool.run(WHO, caller="a", is_small=False) == os.getpid()

    def test_works_here_on_what_is_small(self):
        assert engine_pool.run(WHO, caller="a", is_small=True) == os.getpid()

    def test_works_in_a_child_on_what_is_large(self):
        assert engine_pool.run(WHO, caller="a", is_small=False) != os.getpid()

    @pytest.mark.parametrize("error", [RecursionError, MemoryError])
    def test_refuses_what_is_too_much_here(self, error):
        def fail():
            raise error

        with pytest.raises(TooExpensive):
            engine_pool.run(partial(fail), caller="a", is_small=True)
