"""Metrics from several real processes: four gunicorn workers and a Celery worker that forks."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from celery import Celery
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from core.metrics.processes import merge_ended_processes, read_processes
from sandbox.processes import Supervisor, pick_any_port
from sandbox.stack import CELERY, GUNICORN, Stack
from tests.core.metrics.pages import find

RESPONSES = "django_http_responses_total_by_status_view_method_total"
VIEW = {"view": "health-live", "method": "GET", "status": "200"}
TASK = "celery.accumulate"


class MetricsStack:
    """RSOLV's processes and the files in which they count."""

    def __init__(self, stack, supervisor):
        self.stack, self.supervisor = stack, supervisor
        self.metrics = stack.data_dir / "metrics"

    def ask(self, path):
        return httpx.get(f"{self.stack.url}{path}", timeout=30, trust_env=False)

    def find(self, name, **labels):
        return find(self.ask("/metrics").text, name, **labels)

    def is_up(self):
        try:
            return self.ask("/api/docs").is_success
        except httpx.TransportError:
            return False

    def list_counting(self):
        """Return the metric files of web processes that have counted a request."""
        master = self.supervisor.find("web").popen.pid
        files = self.metrics.glob("counter_[0-9]*.db")
        return [file for file in files if file.name != f"counter_{master}.db"]

    def wait_for(self, what, is_there):
        self.supervisor.wait_for(what, is_there, seconds=120)

    def send_tasks(self, count):
        app = Celery(broker="filesystem://", set_as_current=False)
        folder = str(self.stack.data_dir / "queue")
        app.conf.broker_transport = "core.queue.file_transport.Transport"
        app.conf.broker_transport_options = {"data_folder_in": folder, "data_folder_out": folder} | {
            "control_folder": f"{folder}-control"
        }
        for number in range(count):
            app.send_task(TASK, args=[number], ignore_result=True)


@pytest.fixture(scope="module")
def metrics_stack(tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("metrics"), pick_any_port(), 9)
    with Supervisor(environment=stack.environment, log_dir=stack.data_dir, stop_timeout=1) as supervisor:
        # --preload: the code is imported once and the four workers are forked.
        options = ["--preload", "--workers", "4", "--threads", "2", "--no-control-socket"]
        supervisor.start("web", [*GUNICORN, *options, "--bind", f"127.0.0.1:{stack.web_port}"])
        metrics_stack = MetricsStack(stack, supervisor)
        metrics_stack.wait_for("the web", metrics_stack.is_up)
        yield metrics_stack


class TestSeveralProcesses:
    def test_count_every_request_once(self, metrics_stack):
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: metrics_stack.ask("/api/health/live").status_code, range(120)))
        assert answers == [200] * 120
        assert metrics_stack.find(RESPONSES, **VIEW) == 120
        assert len(metrics_stack.list_counting()) > 1

    def test_keep_the_counts_of_a_killed_process(self, metrics_stack):
        metrics_stack.ask("/api/health/live")
        before = metrics_stack.find(RESPONSES, **VIEW)
        killed = metrics_stack.list_counting()[0]
        os.kill(int(killed.stem.partition("_")[2]), signal.SIGKILL)
        metrics_stack.wait_for("its end", lambda: not killed.exists())
        assert metrics_stack.find(RESPONSES, **VIEW) == before

    def test_are_not_ready_before_migrations_ran(self, metrics_stack):
        answer = metrics_stack.ask("/api/health/ready")
        assert (answer.status_code, "migrate" in answer.json()["error"]["message"]) == (503, True)

    def test_count_tasks_of_a_worker(self, metrics_stack):
        metrics_stack.send_tasks(3)
        assert metrics_stack.find("rsolv_queue_depth") == 3
        options = ["worker", "--pool", "prefork", "--concurrency", "1", "--loglevel", "WARNING"]
        metrics_stack.supervisor.start("worker", [*CELERY, *options, "--without-gossip", "--without-mingle"])
        labels = {"task": TASK, "state": "success"}
        metrics_stack.wait_for(
            "its tasks", lambda: metrics_stack.find("rsolv_celery_tasks_total", **labels) == 3
        )
        assert metrics_stack.find("rsolv_queue_depth") == 0
        assert metrics_stack.find("rsolv_celery_task_seconds_count", task=TASK) == 3


def write(folder: Path, kind: str, owner: object, value: float, at: float = 0.0) -> None:
    file = MmapedDict(str(folder / f"{kind}_{owner}.db"))
    file.write_value(mmap_key("fixes", "fixes", [], [], "Fixes."), value, at)
    file.close()


def total(folder: Path) -> float:
    return sum(sample.value for metric in read_processes(folder) for sample in metric.samples)


@pytest.fixture
def ended():
    """The id of a process that has exited."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


class TestMergeEndedProcesses:
    def test_merges_files_of_ended_processes_only(self, tmp_path, ended):
        write(tmp_path, "counter", ended, 3)
        write(tmp_path, "counter", os.getpid(), 4)
        write(tmp_path, "counter", "ended", 5)
        assert total(tmp_path) == 12
        assert {file.name for file in tmp_path.glob("*.db")} == {
            "counter_ended.db",
            f"counter_{os.getpid()}.db",
        }

    def test_keeps_the_most_recent_value_of_a_gauge(self, tmp_path, ended):
        write(tmp_path, "gauge_mostrecent", "ended", 7, at=time.time())
        write(tmp_path, "gauge_mostrecent", ended, 9, at=time.time() - 60)
        merge_ended_processes(tmp_path)
        assert total(tmp_path) == 7

    def test_drops_live_gauges_of_ended_processes(self, tmp_path, ended):
        write(tmp_path, "gauge_livesum", ended, 9)
        assert total(tmp_path) == 0

    def test_skips_unreadable_files(self, tmp_path, ended):
        (tmp_path / f"counter_{ended}.db").write_bytes(b"\xff" * 64)
        (tmp_path / f"counter_{os.getpid()}.db").write_bytes(b"\xff" * 64)
        write(tmp_path, "counter", "ended", 5)
        assert total(tmp_path) == 5

    def test_skips_a_file_that_is_still_empty(self, tmp_path):
        (tmp_path / f"counter_{os.getpid()}.db").touch()
        assert total(tmp_path) == 0
