"""Inject faults around RSOLV: Stripe's faults, killed processes, a flushed broker, a database restart."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import redis
from psycopg import sql

from sandbox.processes import Supervisor
from sandbox.services import connect
from sandbox.stripe_client import StripeSandboxClient

from .stack import WORKERS, ChaosStack
from .stripe_faults import LOST_RESPONSES, Rule, draw_stripe_faults

KINDS = (
    "stripe_faults_changed",
    "worker_killed",
    "task_killed",
    "web_worker_killed",
    "beat_killed",
    "broker_flushed",
    "broker_connections_cut",
    "database_restarted",
)
REPEATED = ("stripe_faults_changed", "stripe_faults_changed", "task_killed", "task_killed")
ROUND = len(KINDS) + len(REPEATED)


class FaultInjector:
    """Injects faults in random order, each kind once per round. `counts` has how often, by kind."""

    def __init__(
        self,
        *,
        stack: ChaosStack,
        supervisor: Supervisor,
        stripe: StripeSandboxClient,
        admin_url: str,
        seed: int,
    ) -> None:
        self._stack = stack
        self._supervisor = supervisor
        self._stripe = stripe
        self._admin_url = admin_url
        self._rng = random.Random(f"injector-{seed}")
        self._remaining: list[str] = []
        self._rules: dict[int, str] = {}
        self.counts: Counter[str] = Counter()
        self.injected = 0
        actions = (
            self.change_stripe_faults,
            self.kill_worker,
            self.kill_task,
            self.kill_web_worker,
            self.kill_beat,
            self.flush_broker,
            self.cut_broker,
            self.restart_database,
        )
        self._actions = dict(zip(KINDS, actions, strict=True))

    @property
    def rounds(self) -> int:
        return self.injected // ROUND

    def inject_next(self) -> str:
        """Inject the next fault; return its name."""
        if not self._remaining:
            self._remaining = [*KINDS, *REPEATED]
            self._rng.shuffle(self._remaining)
        kind = self._remaining.pop()
        self._actions[kind]()
        self.injected += 1
        if kind != "stripe_faults_changed":
            self.counts[kind] += 1
        return kind

    def change_stripe_faults(self) -> None:
        self.set_stripe_faults(draw_stripe_faults(self._rng))

    def set_stripe_faults(self, rules: Sequence[Rule]) -> None:
        """Replace the faults at Stripe, and count how often the previous ones applied."""
        for rule_id, hits in self._stripe.list_hits().items():
            self.counts[self._rules.get(rule_id, "unknown")] += hits
        self._stripe.clear_faults()
        for rule in rules:
            self._rules[self._stripe.add_fault(rule.fault)] = rule.kind

    def lose_responses(self) -> None:
        """Let Stripe create subscriptions without a response and without a webhook."""
        self.set_stripe_faults(LOST_RESPONSES)

    def count_lost_responses(self) -> int:
        """Return how many responses the current faults have cut off after the work."""
        hits = self._stripe.list_hits().items()
        return sum(count for rule_id, count in hits if self._rules.get(rule_id) == "stripe_cut_after_work")

    def kill_worker(self) -> None:
        """Kill a Celery worker with its tasks, and start a new one."""
        name = f"worker{self._rng.randrange(WORKERS)}"
        self._supervisor.kill(name)
        self._stack.start_worker_named(self._supervisor, name)

    def kill_task(self) -> None:
        """Kill one pool process of a Celery worker, with its task."""
        name = f"worker{self._rng.randrange(WORKERS)}"
        _kill_one(self._rng, _list_children(self._supervisor.find(name).popen.pid))

    def kill_web_worker(self) -> None:
        """Kill one of gunicorn's workers, with its requests."""
        _kill_one(self._rng, _list_children(self._supervisor.find("web").popen.pid))

    def kill_beat(self) -> None:
        self._supervisor.kill("beat")
        self._stack.start_beat(self._supervisor)

    def flush_broker(self) -> None:
        with redis.Redis.from_url(self._stack.redis_url) as client:
            client.flushdb()

    def cut_broker(self) -> None:
        """Close every connection to the run's Redis database."""
        number = urlsplit(self._stack.redis_url).path.strip("/")
        with redis.Redis.from_url(self._stack.redis_url) as client:
            mine = client.client_id()
            for each in client.client_list():
                if each["db"] == number and int(each["id"]) != mine:
                    client.client_kill_filter(_id=each["id"])

    def restart_database(self) -> None:
        """End all connections to the run's database, and accept no new ones for some seconds."""
        name = urlsplit(self._stack.database_url).path.strip("/")
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with connect(self._admin_url) as admin:
            admin.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
            try:
                admin.execute(end_all, [name])
                time.sleep(self._rng.uniform(1, 4))
            finally:
                admin.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def _list_children(pid: int) -> list[int]:
    """List child processes, including those that a thread has forked."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, task.read_text().split())
    return sorted(found)


def _kill_one(rng: random.Random, pids: list[int]) -> None:
    if pids:
        with suppress(ProcessLookupError):
            os.kill(rng.choice(pids), signal.SIGKILL)
