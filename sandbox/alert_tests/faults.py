"""Faults to inject, and the alerts that each must trigger and the panels that it must fill."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import redis
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from djstripe.models import WebhookEndpoint
from psycopg import sql

from billing.models import BillingAccount, InboxEvent, Notification, Reconciliation, UsageReport
from billing.tasks import report_usage
from core.api import limiter
from customers.models import Customer, Membership
from provisioning.models import ProvisioningRun
from provisioning.services.provision_customer import provision_customer
from sandbox.demo.browser import Browser
from sandbox.demo.report import NullOutput
from sandbox.processes import Supervisor
from sandbox.services import connect
from sandbox.smtp import MailServer

from .stack import AlertTestStack
from .stripe import FaultyStripe
from .traffic import Traffic

ALLOW = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
END_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
WRONG_SECRET = "whsec_" + "0" * 32
ONBOARDINGS = f"{limiter.PREFIX}:onboarding-all:all"
OWNER = "owner@alerts.example"
READY_SECONDS = 120.0
LAST_FAILURE = (InboxEvent.policy.max_failures or 1) - 1


def do_nothing() -> None:
    """Default action of a fault."""


@dataclass(frozen=True)
class Fault:
    """A fault: call `inject`, then `sustain` once a second until its alerts fire, then `recover`.

    `panels` names the queries that are empty without faults and must have data during this one.
    """

    description: str
    alerts: tuple[str, ...]
    inject: Callable[[], None] = do_nothing
    sustain: Callable[[], None] = do_nothing
    recover: Callable[[], None] = do_nothing
    panels: tuple[str, ...] = ()
    # Its alerts have latency thresholds, which a slow machine exceeds without the fault.
    is_latency: bool = False


@dataclass
class FaultInjector:
    """The actions of the faults, and everything that they act on."""

    stack: AlertTestStack
    supervisor: Supervisor
    stripe: FaultyStripe
    mail: MailServer
    traffic: Traffic
    admin_url: str
    secrets: dict[str, str] = field(default_factory=dict)
    locks: list[Any] = field(default_factory=list)

    def list_rounds(self) -> list[list[Fault]]:
        """Return the faults in rounds. Those of one round are injected together.

        Faults that would hide or trigger each other's alerts are in different rounds. The database comes
        first, because ApiErrorsSlow covers the whole run, so no other fault may cause a 5xx before.
        """
        return [
            [
                Fault(
                    "the database accepts no connection",
                    ("DatabaseDown", "ApiErrorsFast", "ApiErrorsSlow"),
                    inject=self.block_database,
                    recover=self.accept_database,
                    panels=(
                        "api: Server errors by view [A]",
                        "api: Exceptions by type [A]",
                        "platform: Firing alerts [A]",
                    ),
                ),
            ],
            # Before MeterErrors, whose fault also leaves a rejected report.
            [
                Fault(
                    "Stripe answers usage with 400",
                    ("UsageRejected",),
                    inject=self.stripe.reject_usage,
                    recover=self.restore_stripe,
                ),
            ],
            [
                Fault(
                    "Stripe answers everything with 503",
                    ("StripeDown", "UsageUnreported", "SignupStuck"),
                    inject=self.make_stripe_unavailable,
                    recover=self.restore_stripe,
                ),
                Fault(
                    "API signups exceed the limit per hour",
                    ("OnboardingStopped",),
                    inject=self.exceed_onboarding,
                    recover=self.reset_onboarding,
                ),
                Fault(
                    "the last reconciliation is two days old",
                    ("ReconciliationMissed",),
                    inject=self.age_reconciliation,
                ),
                Fault(
                    "many parallel requests that insert 20 tests into a file of 12,000 lines",
                    ("GenerateSlow",),
                    sustain=self.traffic.send_large,
                    is_latency=True,
                ),
            ],
            [
                Fault(
                    "the table of phase results is locked repeatedly for most of a second",
                    ("PhasesStoreSlow",),
                    sustain=self.lock_phases_briefly,
                    is_latency=True,
                ),
                Fault(
                    "a webhook whose body cannot be processed",
                    ("WebhooksFailed",),
                    inject=self.receive_broken_webhook,
                ),
                Fault("a notification is parked for staff", ("OutboxParked",), inject=self.park_notification),
                Fault("an account has no owner", ("SignupBroken",), inject=self.remove_owner),
                Fault(
                    "tasks with an invalid id",
                    ("TasksFailing",),
                    sustain=self.queue_broken_tasks,
                ),
                Fault(
                    "a thin event of Stripe reports that usage was not counted",
                    ("MeterErrors",),
                    inject=self.report_meter_error,
                    panels=("billing: Meter errors by code [A]",),
                ),
                Fault(
                    "reconcile_billing finds usage on the meter that the ledger lacks",
                    ("ReconciliationDifferences",),
                    inject=self.add_unknown_usage,
                    panels=("billing: Differences by kind [A]",),
                ),
                Fault(
                    "the mail server answers every mail with 451",
                    ("MailUnsent",),
                    inject=self.reject_mail,
                    recover=self.accept_mail,
                ),
            ],
            [
                Fault(
                    "our webhook secrets are wrong",
                    ("WebhooksRejected",),
                    inject=self.replace_secrets,
                    sustain=self.stripe.touch_customers,
                    recover=self.restore_secrets,
                ),
                Fault(
                    "a table that a metrics collector needs is locked",
                    ("MetricsCollectorFailing",),
                    inject=self.lock_reconciliations,
                    recover=self.unlock,
                    panels=("platform: Failed collectors [A]",),
                ),
                Fault(
                    "Redis loses all its keys, repeatedly",
                    ("KeyCacheHitRateLow",),
                    sustain=self.flush_redis,
                ),
            ],
            [
                Fault(
                    "the worker is killed",
                    ("SweepStopped", "QueueBacklog", "WebhookBacklog"),
                    inject=self.kill_worker,
                    sustain=self.stripe.touch_customers,
                    recover=self.start_worker,
                ),
            ],
            [
                Fault(
                    "Redis is killed and refuses connections",
                    ("CacheDown", "QueueDown", "KeyCacheErrors", "LimiterUnavailable"),
                    inject=self.kill_redis,
                    recover=self.start_redis,
                ),
            ],
            [
                Fault(
                    "a month ends and every card is declined",
                    ("PaymentFailures",),
                    inject=self.decline_payments,
                    sustain=self.skip_retry_delays,
                ),
            ],
            [Fault("the web processes are killed", ("ApplicationDown",), inject=self.kill_web)],
        ]

    def list_fault_panels(self) -> dict[str, str]:
        """Return the queries that are empty without faults, with the fault that fills each."""
        faults = [fault for faults in self.list_rounds() for fault in faults]
        return {panel: fault.description for fault in faults for panel in fault.panels}

    def list_latency_alerts(self) -> set[str]:
        faults = [fault for faults in self.list_rounds() for fault in faults]
        return {alert for fault in faults if fault.is_latency for alert in fault.alerts}

    def restore_stripe(self) -> None:
        self.stripe.clear_faults()
        self.skip_retry_delays()
        call_command("retry_provisioning", stdout=NullOutput())

    def skip_retry_delays(self) -> None:
        call_command("retry_billing", stdout=NullOutput())

    def lock_phases_briefly(self) -> None:
        threading.Thread(target=self._lock_phases, daemon=True).start()

    def _lock_phases(self) -> None:
        with connect(self.stack.database_url) as session, session.transaction():
            session.execute("LOCK TABLE phases_phaseexecution IN EXCLUSIVE MODE")
            # Longer than the alert's threshold of 250 ms, shorter than the timeout of the traffic's client.
            time.sleep(0.7)

    def lock_reconciliations(self) -> None:
        session = connect(self.stack.database_url)
        session.autocommit = False
        session.execute("LOCK TABLE billing_reconciliation IN ACCESS EXCLUSIVE MODE")
        self.locks.append(session)

    def unlock(self) -> None:
        while self.locks:
            self.locks.pop().close()

    def receive_broken_webhook(self) -> None:
        # Insert the row directly, as if all attempts but the last had failed: they would take hours.
        body = json.dumps({"id": "evt_broken", "object": "event", "type": "customer.updated", "data": {}})
        InboxEvent.objects.create(
            event_id="evt_broken", event_type="customer.updated", payload=body, failures=LAST_FAILURE
        )

    def park_notification(self) -> None:
        customer, now = Customer.objects.get(email=OWNER), timezone.now()
        parked = {"status": Notification.Status.PARKED, "parked_at": now, "next_attempt_at": None}
        Notification.objects.create(
            customer=customer, kind=Notification.Kind.RECOVERED, reference="alert-test", **parked
        )

    def remove_owner(self) -> None:
        customer = Customer.objects.get(email=OWNER)
        Membership.objects.filter(customer=customer).delete()
        an_hour_ago = timezone.now() - timedelta(hours=1)
        Customer.objects.filter(pk=customer.pk).update(created_at=an_hour_ago)
        ProvisioningRun.objects.filter(pk=customer.pk).update(started_at=an_hour_ago, completed_at=None)

    def exceed_onboarding(self) -> None:
        # Set the counter instead of sending 100,000 requests.
        with redis.Redis.from_url(self.stack.redis_url) as client:
            client.set(ONBOARDINGS, 10 * int(self.stack.environment["ONBOARDINGS_PER_HOUR"]), ex=3600)

    def reset_onboarding(self) -> None:
        with redis.Redis.from_url(self.stack.redis_url) as client:
            client.delete(ONBOARDINGS)

    def queue_broken_tasks(self) -> None:
        report_usage.delay("not-an-id")
        report_usage.delay("nor-this-one")

    def report_meter_error(self) -> None:
        reports = UsageReport.objects.filter(status=UsageReport.Status.REPORTED)
        self.supervisor.wait_for("a reported fix", reports.exists, READY_SECONDS)
        self.stripe.report_meter_error(reports[0].identifier)

    def add_unknown_usage(self) -> None:
        accounts = BillingAccount.objects.exclude(subscription=None).order_by("pk")
        self.supervisor.wait_for("a subscription", accounts.exists, READY_SECONDS)
        stripe_customer_id = accounts[0].stripe_customer_id
        assert stripe_customer_id is not None
        self.stripe.add_unknown_usage(stripe_customer_id)
        call_command("reconcile_billing", stdout=NullOutput())

    def age_reconciliation(self) -> None:
        then = timezone.now() - timedelta(days=2)
        Reconciliation.objects.update(started_at=then, finished_at=then)

    def reject_mail(self) -> None:
        """Reject all mail, and request a password reset, which sends one."""
        self.mail.rejection_rate = 1.0
        browser = Browser(self.stack.url)
        browser.submit(browser.open("/accounts/password/reset/"), email=OWNER)

    def accept_mail(self) -> None:
        self.mail.rejection_rate = 0.0
        call_command("retry_provisioning", stdout=NullOutput())

    def make_stripe_unavailable(self) -> None:
        """Make Stripe unavailable, and sign up a customer meanwhile. The traffic continues to store fixes."""
        self.stripe.make_unavailable()
        provision_customer(name="Late", email="late@alerts.example", source=Customer.SignupSource.COMMAND)

    def replace_secrets(self) -> None:
        self.secrets = dict(WebhookEndpoint.objects.values_list("id", "secret"))
        WebhookEndpoint.objects.update(secret=WRONG_SECRET)

    def restore_secrets(self) -> None:
        for endpoint_id, secret in self.secrets.items():
            WebhookEndpoint.objects.filter(id=endpoint_id).update(secret=secret)

    def kill_worker(self) -> None:
        self.supervisor.kill("worker")

    def start_worker(self) -> None:
        self.stack.start_worker_named(self.supervisor, "worker")

    def flush_redis(self) -> None:
        """Flush Redis before each of several requests, so that most lookups miss, also on a slow machine."""
        with redis.Redis.from_url(self.stack.redis_url) as client:
            for _ in range(10):
                client.flushdb()
                self.traffic.send_entitlement()
                time.sleep(0.05)

    def kill_redis(self) -> None:
        self.supervisor.kill("redis")

    def start_redis(self) -> None:
        self.stack.start_redis(self.supervisor)

    def block_database(self) -> None:
        connection.close()  # this process's own connection would be terminated too
        self._allow_connections("false")

    def accept_database(self) -> None:
        self._allow_connections("true")

    def _allow_connections(self, word: str) -> None:
        name = urlsplit(self.stack.database_url).path.strip("/")
        with connect(self.admin_url) as admin:
            admin.execute(ALLOW.format(sql.Identifier(name), sql.SQL(word)))
            if word == "false":
                admin.execute(END_ALL, [name])

    def decline_payments(self) -> None:
        self.stripe.decline_cards()
        self.stripe.end_month()

    def kill_web(self) -> None:
        self.traffic.stop()  # its requests would only fail
        self.supervisor.kill("web")
