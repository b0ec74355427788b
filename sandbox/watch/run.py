"""One run: start, let traffic come, ask every panel's query, then strike until every alert has fired."""

import io
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
from provisioning.services import provision_customer
from sandbox.processes import Supervisor
from sandbox.progress import tell, timed
from sandbox.smtp import MailServer
from sandbox.tables import make_tables

from .faults import OWNER, Fault, House
from .monitoring import list_alerts, list_queries
from .outside import WatchedStripe
from .prometheus import Prometheus
from .stack import WatchStack
from .traffic import Runner, Traffic

START_SECONDS = 300.0
HEALTHY_SECONDS = 45.0
FAULT_SECONDS = 120.0
CALM_SECONDS = 30.0
# A machine with other work may be as slow as this without any fault, times being divided.
AS_SLOW_AS_THE_MACHINE = {"GenerateSlow", "PhasesStoreSlow", "QueueBacklog", "SignupStuck", "WebhookBacklog"}
# Queries that have nothing to show while all is well: why, in words for the report.
EMPTY_WHEN_WELL = {
    "api: Errors of ours by view [A]": "no error of ours: filled by the database that is away",
    "api: Exceptions by type [A]": "no exception: filled by the database that is away",
    "billing: Differences by kind [A]": "no difference: filled by usage counted by hand",
    "billing: Meter errors by code [A]": "no meter error: filled by Stripe's thin event",
    "platform: Alerts that fire [A]": "no alert fires: filled by the first fault",
    "platform: Failed readings [A]": "no reading fails: filled by the locked table",
}
PLANS = ("payg", "payg", "teams", "teams", "teams", "teams", "teams", "trial")


@dataclass
class Watch:
    """A run's surroundings, and what it has found so far. `fired`: by alert, its fault and seconds."""

    stack: WatchStack
    supervisor: Supervisor
    prometheus: Prometheus
    mail: MailServer
    admin_url: str
    only: Collection[str] | None = None
    fired: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    false_alarms: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def play(self) -> None:
        with timed("start", self.seconds):
            self._start()
            runners = self._sign_up()
        stripe = WatchedStripe(self.stack.stripe_url)
        traffic = Traffic(self.stack.url, runners)
        house = House(self.stack, self.supervisor, stripe, self.mail, traffic, self.admin_url)
        traffic.start()
        try:
            with timed("healthy", self.seconds):
                self._watch_healthy(house)
            with timed("faults", self.seconds):
                for faults in house.list_rounds():
                    self._play_round([fault for fault in faults if self._is_wanted(fault)])
        finally:
            traffic.stop()
        tell(f"answers: {dict(sorted(traffic.counts.items()))}")

    @property
    def unasked(self) -> list[str]:
        """Queries that never had data; those that a fault would fill count only where all are struck."""
        names = [query.name for query in list_queries() if not self.rows.get(query.name)]
        return [name for name in names if self.only is None or name not in EMPTY_WHEN_WELL]

    @property
    def silent(self) -> list[str]:
        """Alerts that never fired, of those that were to."""
        wanted = [alert.name for alert in list_alerts() if self.only is None or alert.name in self.only]
        return [name for name in wanted if name not in self.fired]

    def _start(self) -> None:
        self.stack.start_redis(self.supervisor)
        self.stack.start_stripe(self.supervisor)
        self.stack.start_web(self.supervisor)
        self.stack.start_worker_named(self.supervisor, "worker")
        self.prometheus.start(self.supervisor)
        # While they start, which takes a while, the tables they need are made.
        make_tables()
        self.stack.start_beat(self.supervisor)
        self.stack.wait_for_stripe(self.supervisor)
        call_command("sync_plans", stdout=io.StringIO())
        call_command("register_webhook", stdout=io.StringIO())
        self._listen_for_meter_errors()
        self.stack.wait_for_web(self.supervisor, START_SECONDS)
        self.supervisor.wait_for("the first scrape", self.prometheus.is_scraping, START_SECONDS)

    def _listen_for_meter_errors(self) -> None:
        stripe = WatchedStripe(self.stack.stripe_url)
        endpoint_id, secret = stripe.listen_for_meter_errors(f"{self.stack.url}/api/webhooks/stripe")
        stdin, sys.stdin = sys.stdin, io.StringIO(secret)
        try:
            call_command("register_webhook", destination=endpoint_id, stdout=io.StringIO())
        finally:
            sys.stdin = stdin

    def _sign_up(self) -> list[Runner]:
        """Customers of every plan; the last one is the account that loses its owner."""
        return [self._sign_up_one(number, plan) for number, plan in enumerate(PLANS)] + [
            self._sign_up_owner()
        ]

    def _sign_up_one(self, number: int, plan: str) -> Runner:
        namespace, said = f"watch-{number}", io.StringIO()
        options = ["--name", namespace, "--namespace", namespace, "--plan", plan, "--json"]
        if plan != "trial":
            options += ["--payment-method", "pm_card_visa"]
        call_command("provision_customer", f"{namespace}@watch.example", *options, stdout=said)
        return Runner(json.loads(said.getvalue())["api_key"], namespace)

    def _sign_up_owner(self) -> Runner:
        made = provision_customer(
            name="Owner", email=OWNER, namespace="watch-owner", source=Customer.SignupSource.FORM
        )
        return Runner(made.key.raw, "watch-owner")

    def _watch_healthy(self, house: House) -> None:
        """Every query that can has data within a minute, and no alert fires."""
        call_command("reconcile_billing", stdout=io.StringIO())
        deadline = time.monotonic() + HEALTHY_SECONDS
        while time.monotonic() < deadline and set(self._ask_queries()) - set(EMPTY_WHEN_WELL):
            self.supervisor.check()
            time.sleep(2)
            self._set_back()
            call_command("take_figures", stdout=io.StringIO())
        self._sign_up_one(99, "teams")
        for name in sorted(set(self._ask_queries()) - set(EMPTY_WHEN_WELL)):
            tell(f"no data while all is well: {name}")
        states = self.prometheus.read_alerts()
        firing = {name for name, state in states.items() if state == "firing"}
        self.false_alarms = sorted(firing - AS_SLOW_AS_THE_MACHINE)

    def _set_back(self) -> None:
        """Some signed up, and one subscribed, weeks ago: else no ratio of the business has a value."""
        for number, days in ((0, 10), (1, 40), (2, 40)):
            then = timezone.now() - timedelta(days=days)
            Customer.objects.filter(email=f"watch-{number}@watch.example").update(created_at=then)
        for subscription in Subscription.objects.filter(customer__subscriber__email="watch-2@watch.example"):
            subscription.stripe_data["created"] = int(then.timestamp())
            subscription.save()

    def _ask_queries(self) -> list[str]:
        """Ask those that have had no data yet; which still have none."""
        left = [query for query in list_queries() if not self.rows.get(query.name)]
        for query in left:
            self.rows[query.name] = len(self.prometheus.ask(query.expr))
        return [query.name for query in left if not self.rows[query.name]]

    def _is_wanted(self, fault: Fault) -> bool:
        return self.only is None or bool(set(fault.alerts) & set(self.only))

    def _play_round(self, faults: list[Fault]) -> None:
        waited = {alert: fault for fault in faults for alert in fault.alerts}
        self._wait_until_silent(waited)
        struck_at = time.monotonic()
        pending: dict[str, float] = {}
        for fault in faults:
            fault.strike()
        try:
            while set(waited) - set(self.fired) and time.monotonic() - struck_at < FAULT_SECONDS:
                for fault in faults:
                    if set(fault.alerts) - set(self.fired):
                        fault.keep()
                self._note_states(waited, pending, struck_at)
                time.sleep(1)
            self._ask_queries()
        finally:
            for fault in faults:
                fault.mend()
        for alert in sorted(set(waited) - set(self.fired)):
            tell(f"SILENT   {alert}: {waited[alert].name}")

    def _wait_until_silent(self, waited: dict[str, Fault]) -> None:
        """What an earlier fault has fired as well is to be seen firing by its own."""
        deadline = time.monotonic() + CALM_SECONDS
        while time.monotonic() < deadline:
            states = self.prometheus.read_alerts()
            if all(states[alert] == "inactive" for alert in waited):
                return
            time.sleep(1)

    def _note_states(self, waited: dict[str, Fault], pending: dict[str, float], struck_at: float) -> None:
        now = round(time.monotonic() - struck_at, 1)
        for alert, state in self.prometheus.read_alerts().items():
            if alert not in waited or alert in self.fired:
                continue
            if state != "inactive":
                pending.setdefault(alert, now)
            if state == "firing":
                self.fired[alert] = {
                    "fault": waited[alert].name,
                    "seconds_to_pending": pending[alert],
                    "seconds_to_firing": now,
                }
                tell(f"{now:>5.1f} s  {alert}: {waited[alert].name}")
