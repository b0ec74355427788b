"""Each known attack against real processes, while another client requests a bare page.

Runs in embedded mode, and with production settings on PostgreSQL and Redis. An attack must not delay other
clients.
"""

import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from sandbox import probe
from sandbox.bench.stack import BenchStack
from sandbox.processes import Supervisor, pick_any_port
from sandbox.services import borrow_redis, create_database
from sandbox.stack import HOST, Stack

from .attacks import ATTACKS, Target

pytestmark = pytest.mark.slow
# Bounds on the duration of an attack, during which the other client sends requests.
MAX_ATTACK_SECONDS, MIN_ATTACK_SECONDS = 3.0, 0.6
PAUSE = 0.05
MAX_WAIT_SECONDS = 1.0
MAX_GROWTH_KB = 300 * 1024  # kB, of a worker at its peak
ROOT = Path(__file__).resolve().parents[2]
# Short timeouts for a test. Rate limits are not tested here, so they are out of the way.
ENVIRONMENT = {
    "WEB_HEAD_SECONDS": "1",
    "WEB_TRANSFER_SECONDS": "1",
    "API_REQUESTS_PER_MINUTE": "100000",
    "API_TEST_INTEGRATION_PER_MINUTE": "100000",
}
PREPARE = """
import django
django.setup()
from customers.models import Customer
from customers.services.manage_keys import create_api_key
from sandbox.tables import create_tables
create_tables()
customer = Customer.objects.create(name="Acme", email="acme@example.com")
print(create_api_key(customer=customer, name="test").raw)
"""


class Machine:
    """Real web processes, and an API key for them."""

    def __init__(self, stack, supervisor, key):
        self.stack, self.supervisor = stack, supervisor
        self.target = Target(HOST, stack.web_port, key)
        self.start()

    def start(self):
        self.stack.start_web(self.supervisor)
        self.supervisor.wait_for("the web process", lambda: self.time_bare_page() < MAX_WAIT_SECONDS)
        self.workers = self.list_workers()

    def settle(self):
        """Prepare for the next attack: restart slow or replaced workers, and reset the memory baseline."""
        if self.list_workers() != self.workers or max(self.time_bare_page() for _ in range(3)) > 0.3:
            self.supervisor.kill("web")
            self.start()
        for pid in self.workers:
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # resets the peak
        self.memory = {pid: read_memory(pid, "VmRSS") for pid in self.workers}

    def list_workers(self):
        master = self.supervisor.find("web").popen.pid
        return sorted(map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split()))

    def find_growth(self):
        """Return the largest memory growth of a worker since `settle`, in kB."""
        return max(read_memory(pid, "VmHWM") - before for pid, before in self.memory.items())

    def time_bare_page(self):
        began = time.monotonic()
        try:
            answer = httpx.get(
                f"{self.stack.url}/api/health/live", timeout=MAX_ATTACK_SECONDS, trust_env=False
            )
        except httpx.TransportError:
            return MAX_ATTACK_SECONDS
        assert answer.status_code == 200
        return time.monotonic() - began

    def time_bare_pages_during(self, attack):
        """Return the response times, in seconds, of a client that sends a request every PAUSE meanwhile."""
        attack.prepare()
        began = time.monotonic()
        with ThreadPoolExecutor(attack.at_once) as pool:
            until = began + MAX_ATTACK_SECONDS
            running = [pool.submit(attack.run, self.target, until) for _ in range(attack.at_once)]
            waits = []
            while time.monotonic() - began < MIN_ATTACK_SECONDS or not all(each.done() for each in running):
                waits.append(self.time_bare_page())
                time.sleep(PAUSE)
                if time.monotonic() - began > MAX_ATTACK_SECONDS:
                    break
        for each in running:
            each.result()
        return waits


def read_memory(pid, name):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise ValueError(name)


@contextmanager
def run(stack):
    environment = stack.environment | ENVIRONMENT
    (stack.data_dir / "log").mkdir()
    made = subprocess.run(
        [sys.executable, "-c", PREPARE],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    with Supervisor(environment=environment, log_dir=stack.data_dir / "log", stop_timeout=2) as supervisor:
        yield Machine(stack, supervisor, made.stdout.split()[-1])


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    with run(Stack(tmp_path_factory.mktemp("embedded"), pick_any_port(), 9)) as machine:
        yield machine


@pytest.fixture(scope="module")
def production(tmp_path_factory):
    folder = tmp_path_factory.mktemp("production")
    admin_url = os.environ.get("TEST_DATABASE_URL") or probe.find_database()
    redis_url = os.environ.get("TEST_REDIS_URL") or probe.find_redis()
    with (
        create_database(admin_url, purpose="attacks") as database,
        borrow_redis(redis_url) as own_redis,
        run(BenchStack(folder, pick_any_port(), 9, database, own_redis)) as machine,
    ):
        yield machine


MACHINES = ["embedded", pytest.param("production", marks=pytest.mark.services)]


@pytest.mark.parametrize("machine_name", MACHINES)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_does_not_delay_others(request, machine_name, attack):
    machine = request.getfixturevalue(machine_name)
    machine.settle()
    waits = machine.time_bare_pages_during(attack)
    p95 = max(waits) if len(waits) < 20 else statistics.quantiles(waits, n=20)[-1]
    assert p95 < MAX_WAIT_SECONDS, f"p95 {p95:.2f} s of {len(waits)} bare pages"
    assert machine.list_workers() == machine.workers, "a worker died"
    assert machine.find_growth() < MAX_GROWTH_KB, f"a worker grew by {machine.find_growth() // 1024} MB"
