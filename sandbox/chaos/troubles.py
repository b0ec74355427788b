"""What goes wrong around RSOLV: Stripe's weather, killed processes, a flushed broker, a database restart."""

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
from sandbox.stripe_outside import StripeOutside

from .stack import WORKERS, ChaosStack
from .weather import SILENCE, Rule, draw_weather

KINDS = (
    "weather",
    "worker_killed",
    "task_killed",
    "web_worker_killed",
    "beat_killed",
    "broker_flushed",
    "broker_connections_cut",
    "database_restarted",
)
MORE = ("weather", "weather", "task_killed", "task_killed")
ROUND = len(KINDS) + len(MORE)


class Troubles:
    """Strikes one trouble after the other, each once before any comes again. `counts`: how often each did."""

    def __init__(
        self, *, stack: ChaosStack, supervisor: Supervisor, stripe: StripeOutside, admin_url: str, seed: int
    ) -> None:
        self._stack = stack
        self._supervisor = supervisor
        self._stripe = stripe
        self._admin_url = admin_url
        self._dice = random.Random(f"troubles-{seed}")
        self._deck: list[str] = []
        self._rules: dict[int, str] = {}
        self.counts: Counter[str] = Counter()
        self.struck = 0
        acts = (
            self.change_weather,
            self.kill_worker,
            self.kill_task,
            self.kill_web_worker,
            self.kill_beat,
            self.flush_broker,
            self.cut_broker,
            self.restart_database,
        )
        self._acts = dict(zip(KINDS, acts, strict=True))

    @property
    def rounds(self) -> int:
        return self.struck // ROUND

    def strike(self) -> str:
        """The next trouble; its name."""
        if not self._deck:
            self._deck = [*KINDS, *MORE]
            self._dice.shuffle(self._deck)
        kind = self._deck.pop()
        self._acts[kind]()
        self.struck += 1
        if kind != "weather":
            self.counts[kind] += 1
        return kind

    def change_weather(self) -> None:
        self.set_weather(draw_weather(self._dice))

    def set_weather(self, rules: Sequence[Rule]) -> None:
        """These faults at Stripe instead of those before, whose strikes are counted."""
        for rule_id, hits in self._stripe.list_hits().items():
            self.counts[self._rules.get(rule_id, "unknown")] += hits
        self._stripe.clear_faults()
        for rule in rules:
            self._rules[self._stripe.add_fault(rule.fault)] = rule.kind

    def fall_silent(self) -> None:
        """Subscriptions are made, and neither an answer nor a webhook tells of it."""
        self.set_weather(SILENCE)

    def count_lost_answers(self) -> int:
        """How many the weather of now has cut off after the work."""
        hits = self._stripe.list_hits().items()
        return sum(count for rule_id, count in hits if self._rules.get(rule_id) == "stripe_cut_after_work")

    def kill_worker(self) -> None:
        """A whole Celery worker, with the tasks in it; another takes its place."""
        name = f"worker{self._dice.randrange(WORKERS)}"
        self._supervisor.kill(name)
        self._stack.start_worker_named(self._supervisor, name)

    def kill_task(self) -> None:
        """One process of a Celery worker's pool, with its task."""
        name = f"worker{self._dice.randrange(WORKERS)}"
        _kill_one(self._dice, _list_children(self._supervisor.find(name).popen.pid))

    def kill_web_worker(self) -> None:
        """One of gunicorn's workers, with the requests in it."""
        _kill_one(self._dice, _list_children(self._supervisor.find("web").popen.pid))

    def kill_beat(self) -> None:
        self._supervisor.kill("beat")
        self._stack.start_beat(self._supervisor)

    def flush_broker(self) -> None:
        with redis.Redis.from_url(self._stack.redis_url) as client:
            client.flushdb()

    def cut_broker(self) -> None:
        """Every connection to the run's own Redis database."""
        number = urlsplit(self._stack.redis_url).path.strip("/")
        with redis.Redis.from_url(self._stack.redis_url) as client:
            mine = client.client_id()
            for each in client.client_list():
                if each["db"] == number and int(each["id"]) != mine:
                    client.client_kill_filter(_id=each["id"])

    def restart_database(self) -> None:
        """All connections to the run's own database end, and for some seconds no new one is let in."""
        name = urlsplit(self._stack.database_url).path.strip("/")
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with connect(self._admin_url) as admin:
            admin.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
            try:
                admin.execute(end_all, [name])
                time.sleep(self._dice.uniform(1, 4))
            finally:
                admin.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def _list_children(pid: int) -> list[int]:
    """Also of a process's threads, which may be the ones that forked."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, task.read_text().split())
    return sorted(found)


def _kill_one(dice: random.Random, pids: list[int]) -> None:
    if pids:
        with suppress(ProcessLookupError):
            os.kill(dice.choice(pids), signal.SIGKILL)
