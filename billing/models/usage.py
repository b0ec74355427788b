"""The usage ledger, and the reports of its rows to Stripe."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.utils import timezone

from core.outbox.models import OutboxRow, outbox_constraints, outbox_indexes
from core.outbox.policy import Policy
from customers.models import Customer
from phases.models import PhaseExecution, Repository

from .account import BillingAccount
from .pausing import is_reporting_on


class UsageRecord(models.Model):
    """One fix in the ledger. Append-only: triggers reject updates and deletions (see billing/ledger.py).

    There is one row per repository and issue, with the plan and the unit price (US cents) at the time of the
    fix. `coverage` says who pays: the trial, the customer through the meter, or nobody (a fix made without a
    plan to bill it to).
    """

    class Coverage(models.TextChoices):
        TRIAL = "trial", "Trial"
        METERED = "metered", "Metered"
        UNBILLED = "unbilled", "Never billed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="usage_records")
    execution = models.ForeignKey(PhaseExecution, on_delete=models.PROTECT, related_name="usage_records")
    repository = models.ForeignKey(Repository, on_delete=models.PROTECT, related_name="usage_records")
    issue_number = models.PositiveBigIntegerField()
    coverage = models.CharField(max_length=10, choices=Coverage.choices)
    plan = models.CharField(max_length=10, choices=BillingAccount.Plan.choices)
    unit_price_cents = models.PositiveIntegerField()
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    stripe_customer_id: str | None
    stripe_customer = models.ForeignKey(
        "djstripe.Customer", to_field="id", null=True, on_delete=models.PROTECT, related_name="+"
    )
    subscription_id: str | None
    subscription = models.ForeignKey(
        "djstripe.Subscription", to_field="id", null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("-occurred_at",)
        indexes = (models.Index(fields=("customer", "coverage", "occurred_at"), name="usage_of_customer"),)
        constraints = (
            models.UniqueConstraint(fields=("repository", "issue_number"), name="fix_billed_once_per_issue"),
            models.CheckConstraint(
                condition=~models.Q(coverage="metered") | ~models.Q(plan="trial"),
                name="trial_is_never_metered",
            ),
        )

    def __str__(self) -> str:
        return f"fix of issue {self.issue_number} ({self.coverage})"


class UsageReport(OutboxRow):
    """The outbox row of a ledger row's report to Stripe's meter.

    It is parked if Stripe rejected it or if its workers kept dying. `meter_at` is the timestamp of the last
    attempt's event, `earlier_meter_at` a different one of an earlier attempt, and `first_sent_at` is when
    this generation was first sent. All are committed before the call, so that after a crash the row says what
    Stripe may have counted. Source: docs/decisions/004-meter-each-fix-exactly-once.md
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        REPORTED = "reported"
        PARKED = "parked", "Waits for staff"
        WITHDRAWN = "withdrawn", "Voided: not on the meter"

    policy = Policy(task="billing.tasks.report_usage")

    usage_id: uuid.UUID
    usage = models.OneToOneField(
        UsageRecord, on_delete=models.PROTECT, primary_key=True, related_name="report"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    # The ledger row's customer again, so that the indexes below can start with it.
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="usage_reports")
    meter_at = models.DateTimeField(null=True, blank=True, help_text="The timestamp of the meter event.")
    earlier_meter_at = models.DateTimeField(null=True, blank=True)
    generation = models.PositiveSmallIntegerField(
        default=1, help_text="Incremented when Stripe's meter turns out not to have the event."
    )
    first_sent_at = models.DateTimeField(null=True, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            *outbox_indexes("usage_report"),
            # A covering index: counting a period's fixes reads no row of the table.
            models.Index(
                fields=("customer", "meter_at"), include=("status", "usage"), name="usage_report_counted"
            ),
            models.Index(
                fields=("customer",), condition=models.Q(status="parked"), name="usage_report_parked"
            ),
        )
        constraints = (
            *outbox_constraints("usage_report"),
            models.CheckConstraint(
                condition=~models.Q(status="reported") | models.Q(reported_at__isnull=False),
                name="reported_has_its_time",
            ),
        )

    def __str__(self) -> str:
        return f"report of {self.usage_id}: {self.status}"

    @classmethod
    def list_due(cls, at: datetime) -> models.QuerySet[Self]:
        """List due rows, without those that staff have paused."""
        return super().list_due(at).filter(is_reporting_on("customer"))

    @property
    def identifier(self) -> str:
        """The meter event's identifier, new in each generation: Stripe may deduplicate the old one."""
        return f"{self.usage_id}" if self.generation == 1 else f"{self.usage_id}-{self.generation}"
