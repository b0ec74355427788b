"""Corrections of the ledger, as new rows: the ledger itself is never changed."""

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from core.outbox.models import OutboxRow, outbox_constraints, outbox_indexes
from core.outbox.policy import Policy
from customers.models import Customer

from .pausing import is_reporting_on
from .usage import UsageRecord


class UsageCorrection(models.Model):
    """A correction of one fix by staff, with the reason that the customer sees. Append-only, like the ledger.

    A void means that the fix should never have counted: it is taken off the meter if Stripe still allows that
    and has not invoiced it, otherwise its price is credited. A credit credits the price and lets the fix
    count.
    """

    class Kind(models.TextChoices):
        VOID = "void", "Does not count"
        CREDIT = "credit", "Counts, but its price is credited"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    usage = models.OneToOneField(UsageRecord, on_delete=models.PROTECT, related_name="correction")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="usage_corrections")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reason = models.CharField(max_length=500)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("customer", "created_at"), name="correction_of_customer"),)
        constraints = (
            models.CheckConstraint(condition=~models.Q(reason=""), name="correction_has_a_reason"),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.usage}"


class CorrectionReport(OutboxRow):
    """The outbox row of a correction at Stripe. `amount_cents` is the credit, in US cents.

    A credit waits while its price is unknown: whether a fix was an included one is certain only when its
    period has been invoiced.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        PARKED = "parked", "Waits for staff"

    class Resolution(models.TextChoices):
        UNDECIDED = "", "Undecided"
        WITHHELD = "withheld", "Never sent to the meter"
        ADJUSTMENT = "adjustment", "Taken off the meter"
        CREDIT = "credit", "Credited to the balance"
        NOTHING = "nothing", "No charge"

    policy = Policy(task="billing.tasks.report_correction")

    correction = models.OneToOneField(
        UsageCorrection, on_delete=models.PROTECT, primary_key=True, related_name="report"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    resolution = models.CharField(
        max_length=10, choices=Resolution.choices, default=Resolution.UNDECIDED, blank=True
    )
    amount_cents = models.PositiveIntegerField(default=0)
    stripe_id = models.CharField(max_length=255, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = outbox_indexes("correction")
        constraints = (
            *outbox_constraints("correction"),
            models.CheckConstraint(
                condition=~models.Q(status="done") | models.Q(done_at__isnull=False),
                name="done_correction_has_its_time",
            ),
        )

    def __str__(self) -> str:
        return f"report of {self.correction_id}: {self.status}"

    @classmethod
    def list_due(cls, at: datetime) -> models.QuerySet[Self]:
        """List due rows, without those that staff have paused."""
        return super().list_due(at).filter(is_reporting_on("correction__customer"))
