"""What is done to the house, and which alerts each of it must fire."""

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

from billing.models import BillingAccount, InboxEvent, Notice, Reconciliation, UsageReport
from billing.tasks import report_usage
from core.api import limiter
from customers.models import Customer, Membership
from provisioning.models import ProvisioningRun
from provisioning.services import provision_customer
from sandbox.demo.browser import Browser
from sandbox.demo.report import Silent
from sandbox.processes import Supervisor
from sandbox.services import connect
from sandbox.smtp import MailServer

from .outside import WatchedStripe
from .stack import WatchStack
from .traffic import Traffic

ALLOW = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
END_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
WRONG_SECRET = "whsec_" + "0" * 32
ONBOARDINGS = f"{limiter.PREFIX}:onboarding-all:all"
OWNER = "owner@watch.example"
LAST_FAILURE = (InboxEvent.policy.max_failures or 1) - 1


def nothing() -> None:
    """Where there is nothing to keep up or to mend."""


@dataclass(frozen=True)
class Fault:
    """`strike`, then `keep` once a second until its alerts fire, then `mend`."""

    name: str
    alerts: tuple[str, ...]
    strike: Callable[[], None] = nothing
    keep: Callable[[], None] = nothing
    mend: Callable[[], None] = nothing


@dataclass
class House:
    """All that can be broken, with the hands that do it."""

    stack: WatchStack
    supervisor: Supervisor
    stripe: WatchedStripe
    mail: MailServer
    traffic: Traffic
    admin_url: str
    secrets: dict[str, str] = field(default_factory=dict)
    locks: list[Any] = field(default_factory=list)

    def list_rounds(self) -> list[list[Fault]]:
        """Faults of one round stand at the same time."""
        return [
            [
                Fault(
                    "a phase result's table is locked for seconds, again and again",
                    ("PhasesStoreSlow",),
                    keep=self.lock_phases_shortly,
                ),
                Fault(
                    "Stripe answers usage with 400",
                    ("UsageRefused",),
                    self.stripe.refuse_usage,
                    mend=self.calm,
                ),
                Fault(
                    "a webhook whose body nobody can act on", ("WebhooksFailed",), self.keep_broken_webhook
                ),
                Fault(
                    "all callers together onboard more than an hour's bound",
                    ("OnboardingStopped",),
                    self.crowd_onboarding,
                    mend=self.clear_onboarding,
                ),
                Fault("a notification that was given up", ("OutboxParked",), self.park_notification),
                Fault("an account that lost its owner", ("SignupBroken",), self.remove_owner),
                Fault(
                    "tasks with an id that is none, as another release may queue",
                    ("TasksFailing",),
                    keep=self.queue_broken_tasks,
                ),
            ],
            [
                Fault("Stripe's thin event: usage was not counted", ("MeterErrors",), self.find_usage_wrong),
                Fault(
                    "usage counted at the meter by hand, then reconcile_billing",
                    ("ReconciliationDifferences",),
                    self.count_by_hand,
                ),
                Fault(
                    "the last reconciliation is two days old",
                    ("ReconciliationMissed",),
                    self.age_reconciliation,
                ),
                Fault(
                    "20 tests each into files of 12,000 lines, many at once",
                    ("GenerateSlow",),
                    keep=self.traffic.send_large,
                ),
                Fault(
                    "the mail server answers every mail with 451",
                    ("MailUnsent",),
                    self.refuse_mail,
                    mend=self.take_mail,
                ),
            ],
            [
                Fault(
                    "Stripe answers everything with 503",
                    ("StripeDown", "UsageUnreported", "SignupStuck"),
                    self.lose_stripe,
                    mend=self.calm,
                ),
            ],
            [
                Fault(
                    "we hold wrong webhook secrets",
                    ("WebhooksRejected",),
                    self.forget_secrets,
                    self.stripe.touch_customers,
                    self.remember_secrets,
                ),
            ],
            [
                Fault(
                    "the worker is killed",
                    ("SweepStopped", "QueueBacklog", "WebhookBacklog"),
                    self.kill_worker,
                    self.stripe.touch_customers,
                    self.start_worker,
                ),
            ],
            [
                Fault(
                    "a table that a reading needs is locked",
                    ("MetricsCollectorFailing",),
                    strike=self.lock_reconciliations,
                    mend=self.unlock,
                ),
                Fault(
                    "Redis loses all it holds, again and again",
                    ("KeyCacheHitRateLow",),
                    keep=self.flush_redis,
                ),
            ],
            [
                Fault(
                    "Redis is killed and refuses connections",
                    ("CacheDown", "QueueDown", "KeyCacheErrors", "LimiterUnavailable"),
                    self.kill_redis,
                    mend=self.start_redis,
                ),
            ],
            [
                Fault(
                    "the database lets nobody in",
                    ("DatabaseDown", "ApiErrorsFast", "ApiErrorsSlow"),
                    self.refuse_database,
                    mend=self.let_database_in,
                ),
            ],
            [
                Fault(
                    "a month ends and every card is declined",
                    ("PaymentFailures",),
                    self.decline_payments,
                    keep=self.hurry,
                ),
            ],
            [Fault("the web processes are killed", ("ApplicationDown",), self.kill_web)],
        ]

    def calm(self) -> None:
        self.stripe.clear_faults()
        self.hurry()
        call_command("retry_provisioning", stdout=Silent())

    def hurry(self) -> None:
        """Nobody waits out the waits."""
        call_command("retry_billing", stdout=Silent())

    def lock_phases_shortly(self) -> None:
        threading.Thread(target=self._hold_phases, daemon=True).start()

    def _hold_phases(self) -> None:
        with connect(self.stack.database_url) as session, session.transaction():
            session.execute("LOCK TABLE phases_phaseexecution IN EXCLUSIVE MODE")
            time.sleep(0.7)

    def lock_reconciliations(self) -> None:
        session = connect(self.stack.database_url)
        session.autocommit = False
        session.execute("LOCK TABLE billing_reconciliation IN ACCESS EXCLUSIVE MODE")
        self.locks.append(session)

    def unlock(self) -> None:
        while self.locks:
            self.locks.pop().close()

    def keep_broken_webhook(self) -> None:
        body = json.dumps({"id": "evt_broken", "object": "event", "type": "customer.updated", "data": {}})
        InboxEvent.objects.create(
            event_id="evt_broken", event_type="customer.updated", payload=body, failures=LAST_FAILURE
        )

    def park_notification(self) -> None:
        customer, now = Customer.objects.get(email=OWNER), timezone.now()
        parked = {"status": Notice.Status.PARKED, "parked_at": now, "next_attempt_at": None}
        Notice.objects.create(customer=customer, kind=Notice.Kind.RECOVERED, reference="watch", **parked)

    def remove_owner(self) -> None:
        customer = Customer.objects.get(email=OWNER)
        Membership.objects.filter(customer=customer).delete()
        an_hour_ago = timezone.now() - timedelta(hours=1)
        Customer.objects.filter(pk=customer.pk).update(created_at=an_hour_ago)
        ProvisioningRun.objects.filter(pk=customer.pk).update(started_at=an_hour_ago, completed_at=None)

    def crowd_onboarding(self) -> None:
        with redis.Redis.from_url(self.stack.redis_url) as client:
            client.set(ONBOARDINGS, 10 * int(self.stack.environment["ONBOARDINGS_PER_HOUR"]), ex=3600)

    def clear_onboarding(self) -> None:
        with redis.Redis.from_url(self.stack.redis_url) as client:
            client.delete(ONBOARDINGS)

    def queue_broken_tasks(self) -> None:
        report_usage.delay("not-an-id")
        report_usage.delay("nor-this-one")

    def find_usage_wrong(self) -> None:
        report = UsageReport.objects.filter(status=UsageReport.Status.REPORTED).first()
        assert report is not None
        self.stripe.find_usage_wrong(report.identifier)

    def count_by_hand(self) -> None:
        account = BillingAccount.objects.exclude(subscription=None).order_by("pk").first()
        assert account is not None and account.stripe_customer_id is not None
        self.stripe.count_by_hand(account.stripe_customer_id)
        call_command("reconcile_billing", stdout=Silent())

    def age_reconciliation(self) -> None:
        then = timezone.now() - timedelta(days=2)
        Reconciliation.objects.update(started_at=then, finished_at=then)

    def refuse_mail(self) -> None:
        """Somebody has forgotten a password meanwhile."""
        self.mail.refused_share = 1.0
        browser = Browser(self.stack.url)
        browser.submit(browser.open("/accounts/password/reset/"), email=OWNER)

    def take_mail(self) -> None:
        self.mail.refused_share = 0.0
        call_command("retry_provisioning", stdout=Silent())

    def lose_stripe(self) -> None:
        """Somebody signs up meanwhile; the runners' fixes go on anyway."""
        self.stripe.go_away()
        provision_customer(name="Late", email="late@watch.example", source=Customer.SignupSource.COMMAND)

    def forget_secrets(self) -> None:
        self.secrets = dict(WebhookEndpoint.objects.values_list("id", "secret"))
        WebhookEndpoint.objects.update(secret=WRONG_SECRET)

    def remember_secrets(self) -> None:
        for endpoint_id, secret in self.secrets.items():
            WebhookEndpoint.objects.filter(id=endpoint_id).update(secret=secret)

    def kill_worker(self) -> None:
        self.supervisor.kill("worker")

    def start_worker(self) -> None:
        self.stack.start_worker_named(self.supervisor, "worker")

    def flush_redis(self) -> None:
        """For half of a second: traffic meets an empty cache more often than not."""
        with redis.Redis.from_url(self.stack.redis_url) as client:
            for _ in range(10):
                client.flushdb()
                time.sleep(0.05)

    def kill_redis(self) -> None:
        self.supervisor.kill("redis")

    def start_redis(self) -> None:
        self.stack.start_redis(self.supervisor)

    def refuse_database(self) -> None:
        connection.close()
        self._allow_connections("false")

    def let_database_in(self) -> None:
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
        self.traffic.stop()
        self.supervisor.kill("web")
