"""A server that reloads or stops finishes the requests that it has started."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.processes import Supervisor, pick_any_port
from tests.core.server.conftest import start

HALF_A_HEAD = b"GET /say?word=x HTTP/1.1\r\n"


@pytest.fixture
def own_server(environment, tmp_path):
    patient = environment | {"WEB_HEAD_SECONDS": "3"}
    with Supervisor(environment=patient, log_dir=tmp_path) as supervisor:
        yield start(supervisor, port=pick_any_port()), supervisor


def list_workers(supervisor):
    master = supervisor.find("web").popen.pid
    return Path(f"/proc/{master}/task/{master}/children").read_text().split()


class TestReload:
    def test_finishes_running_requests(self, own_server):
        server, supervisor = own_server
        before = list_workers(supervisor)
        with ThreadPoolExecutor(1) as pool:
            under_way = pool.submit(server.ask, "/wait?seconds=1.5", timeout=10)
            time.sleep(0.5)
            os.kill(supervisor.find("web").popen.pid, signal.SIGHUP)
            assert under_way.result().is_success
        supervisor.wait_for("the new worker", lambda: set(list_workers(supervisor)).isdisjoint(before))
        assert server.ask("/say?word=hello", timeout=5).is_success

    def test_does_not_wait_for_partial_requests(self, own_server):
        server, supervisor = own_server
        before = list_workers(supervisor)
        with server.connect(HALF_A_HEAD), server.connect():
            os.kill(supervisor.find("web").popen.pid, signal.SIGHUP)
            supervisor.wait_for(
                "the old worker's end", lambda: set(list_workers(supervisor)).isdisjoint(before), seconds=12
            )


class TestWorkers:
    def test_are_replaced_after_being_killed(self, own_server):
        server, supervisor = own_server
        (before,) = list_workers(supervisor)
        os.kill(int(before), signal.SIGKILL)
        supervisor.wait_for("a new worker", lambda: list_workers(supervisor) not in ([], [before]))
        assert server.ask("/say?word=hello", timeout=10).is_success
