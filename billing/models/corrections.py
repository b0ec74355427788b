"""Corrections of the ledger: new rows, never changed ones."""

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from core.outbox import OutboxRow, Policy, outbox_constraints, outbox_indexes
from customers.models import Customer

from .held_back import is_sent_to_stripe
from .usage import UsageRecord


class UsageCorrection(models.Model):
    """Staff's correction of one fix, with the reason that the customer reads. Append-only, as the ledger is.

    A void says that the fix should never have counted: what Stripe has not invoiced is taken off the meter
    where Stripe still allows it, and credited otherwise. A credit gives back what the fix costs and lets
    it count.
    """

    class Kind(models.TextChoices):
        VOID = "void", "Does not count"
        CREDIT = "credit", "Counts, its price is given back"

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
    """How far a correction has come at Stripe. `amount_cents` is what was credited, in US cents.

    A credit whose price is not known before the period ends (a fix within the plan's included ones) waits.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        PARKED = "parked", "Waits for staff"

    class Resolution(models.TextChoices):
        UNDECIDED = "", "Not decided"
        WITHHELD = "withheld", "Never sent to the meter"
        ADJUSTMENT = "adjustment", "Taken off the meter"
        CREDIT = "credit", "Credited to the balance"
        NOTHING = "nothing", "Cost nothing"

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
        """What staff hold back is not due."""
        return super().list_due(at).filter(is_sent_to_stripe("correction__customer"))
