"""One run: start processes, send traffic, query every panel, then inject faults until each alert fires."""

import io
import itertools
import json
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.utils import timezone
from djstripe.models import Subscription

from customers.models import Customer
from provisioning.services.provision_customer import provision_customer
from sandbox.processes import Supervisor
from sandbox.progress import log_progress, timed
from sandbox.smtp import MailServer
from sandbox.tables import create_tables

from .fault_run import FaultRun
from .faults import OWNER, Fault, FaultInjector
from .monitoring import list_queries
from .prometheus import Prometheus
from .stack import AlertTestStack
from .stripe import FaultyStripe
from .traffic import PAUSE_SECONDS, SLOW_PAUSE_SECONDS, ActionClient, Traffic

START_SECONDS = 300.0
PANEL_SECONDS = 300.0
HEALTHY_SECONDS = 300.0
SIGNUP_SECONDS = 6.0
# If alerts still fire after this time without a fault, the machine is considered slow and gets less traffic.
SLOW_AFTER_SECONDS = 15.0
PLANS = ("payg", "payg", "teams", "teams", "teams", "teams", "teams", "trial")


@dataclass
class AlertTest:
    """A run's environment and results.

    `fired` has an entry by alert, `rows` the number of samples by query, `problems` one line for each.
    """

    stack: AlertTestStack
    supervisor: Supervisor
    prometheus: Prometheus
    mail: MailServer
    admin_url: str
    only: Collection[str] | None = None
    fired: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    fault_panels: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        with timed("start", self.seconds):
            self._start()
            clients = self._sign_up()
        stripe = FaultyStripe(self.stack.stripe_url)
        traffic = Traffic(self.stack.url, clients)
        injector = FaultInjector(self.stack, self.supervisor, stripe, self.mail, traffic, self.admin_url)
        self.fault_panels = injector.list_fault_panels()
        traffic.start()
        try:
            with timed("panels", self.seconds):
                self._wait_for_panels()
            with timed("healthy", self.seconds):
                self._wait_for_quiet(traffic, ignored=injector.list_latency_alerts())
            with timed("faults", self.seconds):
                for faults in injector.list_rounds():
                    self._run_round([fault for fault in faults if self._is_wanted(fault)], traffic)
        finally:
            traffic.stop()
        log_progress(f"answers: {dict(sorted(traffic.counts.items()))}")

    def _start(self) -> None:
        self.stack.start_redis(self.supervisor)
        self.stack.start_stripe(self.supervisor)
        self.stack.start_web(self.supervisor)
        self.stack.start_worker_named(self.supervisor, "worker")
        self.prometheus.start(self.supervisor)
        # The processes are still loading and need no tables yet.
        create_tables()
        self.stack.start_beat(self.supervisor)
        self.stack.wait_for_stripe(self.supervisor, START_SECONDS)
        call_command("sync_plans", stdout=io.StringIO())
        call_command("register_webhook", stdout=io.StringIO())
        self._register_meter_error_endpoint()
        self.stack.wait_for_web(self.supervisor, START_SECONDS)
        self.supervisor.wait_for("the first scrape", self.prometheus.is_scraping, START_SECONDS)

    def _register_meter_error_endpoint(self) -> None:
        stripe = FaultyStripe(self.stack.stripe_url)
        endpoint_id, secret = stripe.create_meter_error_endpoint(f"{self.stack.url}/api/webhooks/stripe")
        stdin, sys.stdin = sys.stdin, io.StringIO(secret)
        try:
            call_command("register_webhook", destination=endpoint_id, stdout=io.StringIO())
        finally:
            sys.stdin = stdin

    def _sign_up(self) -> list[ActionClient]:
        """Sign up customers on every plan. One fault removes the owner of the last one."""
        clients = [self._sign_up_one(number, plan) for number, plan in enumerate(PLANS)]
        return [*clients, self._sign_up_owner()]

    def _sign_up_one(self, number: int, plan: str) -> ActionClient:
        namespace, output = f"alerts-{number}", io.StringIO()
        options = ["--name", namespace, "--namespace", namespace, "--plan", plan, "--json"]
        if plan != "trial":
            options += ["--payment-method", "pm_card_visa"]
        call_command("provision_customer", f"{namespace}@alerts.example", *options, stdout=output)
        return ActionClient(json.loads(output.getvalue())["api_key"], namespace)

    def _sign_up_owner(self) -> ActionClient:
        made = provision_customer(
            name="Owner", email=OWNER, namespace="alerts-owner", source=Customer.SignupSource.FORM
        )
        return ActionClient(made.key.raw, "alerts-owner")

    def _wait_for_panels(self) -> None:
        """Wait until every query has data, except those that only a fault fills.

        Sign up customers meanwhile, because a rate needs counts that grow between two scrapes.
        """
        call_command("reconcile_billing", stdout=io.StringIO())
        began = signed_up_at = time.monotonic()
        numbers = itertools.count(len(PLANS))
        while empty := set(self._query_panels()) - set(self.fault_panels):
            now = time.monotonic()
            if now - began > PANEL_SECONDS:
                break
            if now - signed_up_at > SIGNUP_SECONDS:
                signed_up_at = now
                self._sign_up_one(next(numbers), "teams")
            self.supervisor.check()
            self._backdate_customers()
            call_command("take_business_metrics", stdout=io.StringIO())
            time.sleep(2)
        exprs = {query.name: query.expr for query in list_queries()}
        for name in sorted(empty):
            found = self.prometheus.describe_metrics(exprs[name])
            self._add_problem(f"panel {name} had no data in {PANEL_SECONDS:.0f} s without a fault; {found}")

    def _wait_for_quiet(self, traffic: Traffic, *, ignored: Collection[str]) -> None:
        """Wait until no alert fires. On a slow machine, reduce the traffic."""
        began = time.monotonic()
        while firing := [alert for alert in self._list_firing() if alert not in ignored]:
            waited = time.monotonic() - began
            if waited > HEALTHY_SECONDS:
                break
            traffic.pause_seconds = SLOW_PAUSE_SECONDS if waited > SLOW_AFTER_SECONDS else PAUSE_SECONDS
            self.supervisor.check()
            time.sleep(1)
        traffic.pause_seconds = PAUSE_SECONDS
        for alert in firing:
            found = self.prometheus.describe_alert(alert)
            self._add_problem(f"alert {alert} fired for {HEALTHY_SECONDS:.0f} s without a fault; {found}")

    def _list_firing(self) -> list[str]:
        return sorted(name for name, state in self.prometheus.read_alerts().items() if state == "firing")

    def _backdate_customers(self) -> None:
        """Backdate some signups and one subscription, without which business ratios have no value."""
        for number, days in ((0, 10), (1, 40), (2, 40)):
            then = timezone.now() - timedelta(days=days)
            Customer.objects.filter(email=f"alerts-{number}@alerts.example").update(created_at=then)
        for subscription in Subscription.objects.filter(
            customer__subscriber__email="alerts-2@alerts.example"
        ):
            subscription.stripe_data["created"] = int(then.timestamp())
            subscription.save()

    def _query_panels(self) -> list[str]:
        """Run the queries that have had no data so far, and return those that still have none."""
        empty = [query for query in list_queries() if not self.rows.get(query.name)]
        for query in empty:
            self.rows[query.name] = len(self.prometheus.query(query.expr))
        return [query.name for query in empty if not self.rows[query.name]]

    def _is_wanted(self, fault: Fault) -> bool:
        return self.only is None or bool(set(fault.alerts) & set(self.only))

    def _run_round(self, faults: list[Fault], traffic: Traffic) -> None:
        """Inject each fault once its alerts are inactive, and end it once they have fired."""
        began = time.monotonic()
        runs = [FaultRun(fault, began) for fault in faults]
        try:
            while not all(run.is_over for run in runs):
                self._step(runs, traffic, time.monotonic() - began)
                self.supervisor.check()
                time.sleep(1)
        finally:
            traffic.pause_seconds = PAUSE_SECONDS
            for run in runs:
                run.end()

    def _step(self, runs: list[FaultRun], traffic: Traffic, seconds: float) -> None:
        is_slow = seconds > SLOW_AFTER_SECONDS and any(run.is_waiting for run in runs)
        traffic.pause_seconds = SLOW_PAUSE_SECONDS if is_slow else PAUSE_SECONDS
        states, empty = self.prometheus.read_alerts(), self._query_panels()
        for run in runs:
            known = set(run.problems)
            run.step(states, empty, time.monotonic())
            for alert in sorted(set(run.fired) - set(self.fired)):
                self.fired[alert] = run.fired[alert]
                log_progress(
                    f"{run.fired[alert]['seconds_to_firing']:>6} s  {alert}: {run.fault.description}"
                )
            for name in sorted(set(run.problems) - known):
                self._add_problem(f"{self._describe(name, run.problems[name])}")

    def _describe(self, name: str, problem: str) -> str:
        exprs = {query.name: query.expr for query in list_queries()}
        if name in exprs:
            return f"panel {name} {problem}; {self.prometheus.describe_metrics(exprs[name])}"
        return f"alert {name} {problem}; {self.prometheus.describe_alert(name)}"

    def _add_problem(self, problem: str) -> None:
        self.problems.append(problem)
        log_progress(f"FAILED: {problem}")
