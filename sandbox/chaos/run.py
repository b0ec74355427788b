"""One run: start, store fixes during faults, settle, end the month, compare the ledger with the plan."""

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
from sandbox.progress import log_progress, timed
from sandbox.stripe_client import StripeSandboxClient
from sandbox.tables import create_tables

from .clients import Clients
from .faults import ROUND, FaultInjector
from .ledger_snapshot import read_ledger_snapshot
from .plan import Client, Plan
from .stack import WORKERS, ChaosStack
from .stripe_faults import draw_webhook_faults
from .verdict import Verdict, judge

MAX_PACE = 30.0  # issues begun per second
MIN_SECONDS = 15.0
ISSUES_A_ROUND = 1200
STALL_SECONDS = 20.0
# All faults are injected within this multiple of the time that sending is planned to take.
LONGEST_SHARE = 1.5
MIN_LONGEST_SECONDS = 120.0
SIGNUPS_WITHOUT_RESPONSE = 4
LOST_RESPONSES_SECONDS = 30.0
TAIL_SECONDS = 60.0
TAIL_SHARE = 0.1
STUCK_SECONDS = 120.0  # longer than the lease of a killed worker
START_SECONDS = 300.0
PUSH_SECONDS = 4.0
AFTER_PERIOD_SECONDS = 3900  # an invoice stays a draft for an hour


@dataclass
class ChaosRun:
    """A run's environment and results.

    `seconds` has the duration of each part, `stuck` the size of the backlog when it stopped shrinking.
    """

    stack: ChaosStack
    supervisor: Supervisor
    stripe: StripeSandboxClient
    injector: FaultInjector
    plan: Plan
    seed: int
    seconds: dict[str, float] = field(default_factory=dict)
    keys: dict[int, str] = field(default_factory=dict)
    customer_ids: dict[str, int] = field(default_factory=dict)
    stuck: int = 0

    def run(self) -> tuple[Verdict, Clients, dict[str, int]]:
        """Run the test. Return the verdict, the clients with their counts, and the remaining backlog."""
        with timed("start", self.seconds):
            self._start()
        with timed("early_clients", self.seconds):
            self._sign_up_early()
        clients = self._make_clients()
        with timed("chaos", self.seconds):
            self._run_with_faults(clients)
        with timed("quiet", self.seconds):
            self.injector.set_stripe_faults([])
            self._settle()
        with timed("month_end", self.seconds):
            self.injector.set_stripe_faults(draw_webhook_faults(random.Random(f"disorder-{self.seed}")))
            self._end_month()
            self._settle()
            self.injector.set_stripe_faults([])
        with timed("judgment", self.seconds):
            snapshot = read_ledger_snapshot(
                plan=self.plan, stripe=self.stripe, customer_ids=self.customer_ids
            )
            return judge(self.plan, snapshot), clients, self._count_backlog()

    def _start(self) -> None:
        """Start all processes, Stripe with its clock a month back, so that a month ends during the faults."""
        middle = datetime.now(UTC) + timedelta(seconds=20 + self._planned_seconds / 2)
        self.stack.start_stripe(self.supervisor, clock=int(month_before(middle).timestamp()))
        self.stack.start_web(self.supervisor)
        for number in range(WORKERS):
            self.stack.start_worker_named(self.supervisor, f"worker{number}")
        # The processes are still loading and need no tables yet.
        create_tables()
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

    def _run_with_faults(self, clients: Clients) -> None:
        """Sign up the other clients while Stripe fails, then send all fixes during the faults."""
        rng = random.Random(f"pauses-{self.seed}")
        late = [client for client in self.plan.clients if not client.early]
        self._sign_up_without_responses(
            [client for client in late if client.plan != "trial"][:SIGNUPS_WITHOUT_RESPONSE]
        )
        self.injector.change_stripe_faults()
        self._count_waiting(push=True)
        for client in late:
            if client.number not in self.keys:
                self._sign_up(client)
        rounds = max(1, round(len(self.plan.issues) / ISSUES_A_ROUND))
        began = time.monotonic()
        clients.start()
        try:
            while self.injector.rounds < rounds:
                kind = self.injector.inject_next()
                log_progress(f"{kind:<24}{clients.counts['issues']:>6} of {len(self.plan.issues)} issues")
                share = (self.injector.injected + rng.random()) / (rounds * ROUND)
                self._wait_for(clients, share, latest=began + share * self._longest_seconds)
            while not clients.is_done:
                self._wait_for(clients, 1, latest=time.monotonic() + STALL_SECONDS)
        finally:
            clients.stop()
        self._drain()

    def _sign_up_without_responses(self, clients: list[Client]) -> None:
        """Sign up clients whose subscriptions Stripe creates without a response or a webhook."""
        self.injector.lose_responses()
        for client in clients:
            self._sign_up(client)
        deadline, wanted = time.monotonic() + LOST_RESPONSES_SECONDS, len(clients) * (1 + MAX_RETRIES)
        while self.injector.count_lost_responses() < wanted and time.monotonic() < deadline:
            self.supervisor.check()
            time.sleep(0.5)

    def _wait_for(self, clients: Clients, share: float, *, latest: float) -> None:
        """Wait until this share of the issues is processed, so that a slow machine has as few faults per fix.

        Give up at `latest` (monotonic seconds), or if nothing changes for STALL_SECONDS, as while Stripe is
        unavailable. Once all issues are sent, make the backlog due at once.
        """
        planned = len(self.plan.issues)
        wanted, deadline = share * planned, min(latest, time.monotonic() + STALL_SECONDS)
        while time.monotonic() < deadline:
            sent = clients.counts["issues"]
            if sent - self._count_waiting(push=sent == planned) >= wanted:
                return
            self.supervisor.check()
            time.sleep(0.5)

    def _drain(self) -> None:
        """Process the backlog during faults: otherwise a slow machine reports most fixes without any."""
        deadline = time.monotonic() + TAIL_SECONDS
        while time.monotonic() < deadline:
            if self._count_waiting(push=True) < len(self.plan.issues) * TAIL_SHARE:
                return
            self.injector.change_stripe_faults()
            time.sleep(PUSH_SECONDS)
            self.supervisor.check()

    def _settle(self) -> None:
        """Make the backlog due repeatedly, until it is empty or has not shrunk for STUCK_SECONDS."""
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
            if now - moved_at > STUCK_SECONDS:
                log_progress(f"the backlog of {waiting} has not shrunk for {STUCK_SECONDS:.0f} s")
                self.stuck += waiting
                return
            time.sleep(0.5)

    def _end_month(self) -> None:
        """Move Stripe's clock past the end of every period and the hour in which invoices are drafts."""
        items = [
            item
            for subscription in self.stripe.list_all("subscriptions", status="all")
            for item in subscription["items"]["data"]
        ]
        last = max((item["current_period_end"] for item in items), default=0)
        self.stripe.move_to(last + AFTER_PERIOD_SECONDS)

    def _sign_up(self, client: Client) -> None:
        output = io.StringIO()
        paying = {} if client.plan == "trial" else {"payment_method": "pm_card_visa"}
        call_command(
            "provision_customer",
            client.email,
            name=f"Client {client.number}",
            namespace=client.namespace,
            plan=client.plan,
            json=True,
            stdout=output,
            **paying,
        )
        made = json.loads(output.getvalue())
        self.keys[client.number] = made["api_key"]
        self.customer_ids[made["customer_id"]] = client.number

    def _make_clients(self) -> Clients:
        pace = len(self.plan.issues) / self._planned_seconds
        return Clients(url=self.stack.url, plan=self.plan, keys=self.keys, pace=pace)

    @property
    def _planned_seconds(self) -> float:
        return max(MIN_SECONDS, len(self.plan.issues) / MAX_PACE)

    @property
    def _longest_seconds(self) -> float:
        return max(MIN_LONGEST_SECONDS, self._planned_seconds * LONGEST_SHARE)

    def _count_waiting(self, *, push: bool = False) -> int:
        """Return the size of the backlog, except what waits for staff."""
        return sum(count for kind, count in self._count_backlog(push=push).items() if kind != "rejected")

    def _count_backlog(self, *, push: bool = False) -> dict[str, int]:
        output = io.StringIO()
        connection.close()  # it may be broken: the database was restarted
        call_command("retry_billing", dry_run=not push, json=True, stdout=output)
        found: dict[str, int] = json.loads(output.getvalue())
        return found
