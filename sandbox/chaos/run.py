"""One run: start, let clients work amid troubles, wait for quiet, end the month, judge the books."""

import io
import json
import random
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.core.management import call_command
from django.db import connection

from billing.stripe_gateway.http import MAX_RETRIES
from sandbox.demo.months import month_before
from sandbox.processes import Supervisor
from sandbox.progress import tell, timed
from sandbox.stripe_outside import StripeOutside
from sandbox.tables import make_tables

from .books import read_books
from .clients import Clients
from .plan import Client, Plan
from .stack import WORKERS, ChaosStack
from .troubles import ROUND, Troubles
from .verdict import Verdict, judge
from .weather import draw_disorder

LARGEST_PACE = 30.0  # issues begun in a second
SHORTEST_SECONDS = 15.0
ISSUES_A_ROUND = 1200
STALL_SECONDS = 20.0
# All troubles are struck after so long, in parts of what sending is planned to take.
LONGEST_SHARE = 1.5
LONGEST_AT_LEAST = 120.0
UNHEARD = 4
UNHEARD_SECONDS = 30.0
TAIL_SECONDS = 60.0
TAIL_SHARE = 0.1
PATIENCE_SECONDS = 240.0  # longer than the lease of a worker that was killed
START_SECONDS = 300.0
PUSH_SECONDS = 4.0
AFTER_PERIOD_SECONDS = 3900  # an invoice stays a draft for an hour


@dataclass
class Chaos:
    """A run's surroundings, and how long its parts took. `given_up`: what waited when patience ended."""

    stack: ChaosStack
    supervisor: Supervisor
    stripe: StripeOutside
    troubles: Troubles
    plan: Plan
    seed: int
    seconds: dict[str, float] = field(default_factory=dict)
    keys: dict[int, str] = field(default_factory=dict)
    customer_ids: dict[str, int] = field(default_factory=dict)
    given_up: int = 0

    def play(self) -> tuple[Verdict, Clients, dict[str, int]]:
        """All of it; the verdict, the clients with their counts, and what is left undone."""
        with timed("start", self.seconds):
            self._start()
        with timed("early_clients", self.seconds):
            self._sign_up_early()
        clients = self._make_clients()
        with timed("chaos", self.seconds):
            self._let_loose(clients)
        with timed("quiet", self.seconds):
            self.troubles.set_weather([])
            self._settle()
        with timed("month_end", self.seconds):
            self.troubles.set_weather(draw_disorder(random.Random(f"disorder-{self.seed}")))
            self._end_month()
            self._settle()
            self.troubles.set_weather([])
        with timed("judgement", self.seconds):
            books = read_books(plan=self.plan, stripe=self.stripe, customer_ids=self.customer_ids)
            return judge(self.plan, books), clients, self._count_backlog()

    def _start(self) -> None:
        """`Stripe`'s clock begins a month before an instant that lies amid the troubles."""
        amid = datetime.now(UTC) + timedelta(seconds=20 + self._planned_seconds / 2)
        self.stack.start_stripe(self.supervisor, clock=int(month_before(amid).timestamp()))
        self.stack.start_web(self.supervisor)
        for number in range(WORKERS):
            self.stack.start_worker_named(self.supervisor, f"worker{number}")
        # While they start, which takes a while, the tables they need are made.
        make_tables()
        self.stack.start_beat(self.supervisor)
        self.stack.wait_for_stripe(self.supervisor)
        call_command("sync_plans", stdout=io.StringIO())
        call_command("register_webhook", stdout=io.StringIO())
        self.stack.wait_for_web(self.supervisor, START_SECONDS)

    def _sign_up_early(self) -> None:
        for client in self.plan.clients:
            if client.early:
                self._sign_up(client)
        self.supervisor.wait_for(
            "the first subscriptions", lambda: self._count_backlog()["plans"] == 0, START_SECONDS
        )
        self.stripe.move_to(int(time.time()))

    def _let_loose(self, clients: Clients) -> None:
        """The others sign up while Stripe misbehaves already; then everything at once."""
        dice = random.Random(f"pauses-{self.seed}")
        late = [client for client in self.plan.clients if not client.early]
        self._sign_up_unheard([client for client in late if client.plan != "trial"][:UNHEARD])
        self.troubles.change_weather()
        self._count_waiting(push=True)
        for client in late:
            if client.number not in self.keys:
                self._sign_up(client)
        rounds = max(1, round(len(self.plan.issues) / ISSUES_A_ROUND))
        began = time.monotonic()
        clients.start()
        try:
            while self.troubles.rounds < rounds:
                kind = self.troubles.strike()
                tell(f"{kind:<24}{clients.counts['issues']:>6} of {len(self.plan.issues)} issues")
                share = (self.troubles.struck + dice.random()) / (rounds * ROUND)
                self._wait_for(clients, share, latest=began + share * self._longest_seconds)
            while not clients.is_done:
                self._wait_for(clients, 1, latest=time.monotonic() + STALL_SECONDS)
        finally:
            clients.stop()
        self._work_off()

    def _sign_up_unheard(self, clients: list[Client]) -> None:
        """All that their first attempts subscribe is made at Stripe, and nobody here hears of it."""
        self.troubles.fall_silent()
        for client in clients:
            self._sign_up(client)
        deadline, wanted = time.monotonic() + UNHEARD_SECONDS, len(clients) * (1 + MAX_RETRIES)
        while self.troubles.count_lost_answers() < wanted and time.monotonic() < deadline:
            self.supervisor.check()
            time.sleep(0.5)

    def _wait_for(self, clients: Clients, share: float, *, latest: float) -> None:
        """Until this share is sent and worked off, so that a slow machine meets no more troubles for a fix.

        Or until it has taken too long, as it does while Stripe is away. Once all is sent, it is pushed.
        """
        planned = len(self.plan.issues)
        wanted, deadline = share * planned, min(latest, time.monotonic() + STALL_SECONDS)
        while time.monotonic() < deadline:
            sent = clients.counts["issues"]
            if sent - self._count_waiting(push=sent == planned) >= wanted:
                return
            self.supervisor.check()
            time.sleep(0.5)

    def _work_off(self) -> None:
        """Still amid Stripe's faults: else a slow machine would report most fixes in quiet."""
        deadline = time.monotonic() + TAIL_SECONDS
        while time.monotonic() < deadline:
            if self._count_waiting(push=True) < len(self.plan.issues) * TAIL_SHARE:
                return
            self.troubles.change_weather()
            time.sleep(PUSH_SECONDS)
            self.supervisor.check()

    def _settle(self) -> None:
        """Push what waits until nothing does, or nothing has moved for a while."""
        least, moved_at, pushed_at = sys.maxsize, time.monotonic(), float("-inf")
        quiet = 0
        while quiet < 2:
            self.supervisor.check()
            now = time.monotonic()
            is_push = now - pushed_at > PUSH_SECONDS
            pushed_at = now if is_push else pushed_at
            waiting = self._count_waiting(push=is_push) + self.stripe.count_undelivered()
            quiet = quiet + 1 if waiting == 0 else 0
            if waiting < least:
                least, moved_at = waiting, now
            if now - moved_at > PATIENCE_SECONDS:
                tell(f"nothing has moved for {PATIENCE_SECONDS:.0f} s: {waiting} wait")
                self.given_up += waiting
                return
            time.sleep(0.5)

    def _end_month(self) -> None:
        """Stripe's clock passes the end of every subscription's period, and the hour of its draft."""
        items = [
            item
            for subscription in self.stripe.list_all("subscriptions", status="all")
            for item in subscription["items"]["data"]
        ]
        last = max((item["current_period_end"] for item in items), default=0)
        self.stripe.move_to(last + AFTER_PERIOD_SECONDS)

    def _sign_up(self, client: Client) -> None:
        said = io.StringIO()
        paying = {} if client.plan == "trial" else {"payment_method": "pm_card_visa"}
        call_command(
            "provision_customer",
            client.email,
            name=f"Client {client.number}",
            namespace=client.namespace,
            plan=client.plan,
            json=True,
            stdout=said,
            **paying,
        )
        made = json.loads(said.getvalue())
        self.keys[client.number] = made["api_key"]
        self.customer_ids[made["customer_id"]] = client.number

    def _make_clients(self) -> Clients:
        pace = len(self.plan.issues) / self._planned_seconds
        return Clients(url=self.stack.url, plan=self.plan, keys=self.keys, pace=pace)

    @property
    def _planned_seconds(self) -> float:
        return max(SHORTEST_SECONDS, len(self.plan.issues) / LARGEST_PACE)

    @property
    def _longest_seconds(self) -> float:
        return max(LONGEST_AT_LEAST, self._planned_seconds * LONGEST_SHARE)

    def _count_waiting(self, *, push: bool = False) -> int:
        """What no staff needs to look at."""
        return sum(count for kind, count in self._count_backlog(push=push).items() if kind != "refused")

    def _count_backlog(self, *, push: bool = False) -> dict[str, int]:
        said = io.StringIO()
        connection.close()  # the database has been away
        call_command("retry_billing", dry_run=not push, json=True, stdout=said)
        found: dict[str, int] = json.loads(said.getvalue())
        return found
