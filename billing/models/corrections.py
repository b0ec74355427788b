"""Corrections of the ledger: new rows, never changed ones."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from customers.models import Customer

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


class CorrectionReport(models.Model):
    """How far a correction has come at Stripe. `amount_cents` is what was credited, in US cents.

    A credit whose price is not known before the period ends (a fix within the plan's included ones) waits.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        REJECTED = "rejected", "Refused by Stripe"

    class Way(models.TextChoices):
        UNDECIDED = "", "Not decided"
        WITHHELD = "withheld", "Never sent to the meter"
        ADJUSTMENT = "adjustment", "Taken off the meter"
        CREDIT = "credit", "Credited to the balance"
        NOTHING = "nothing", "Cost nothing"

    correction = models.OneToOneField(
        UsageCorrection, on_delete=models.PROTECT, primary_key=True, related_name="report"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    way = models.CharField(max_length=10, choices=Way.choices, default=Way.UNDECIDED, blank=True)
    amount_cents = models.PositiveIntegerField(default=0)
    stripe_id = models.CharField(max_length=255, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("next_attempt_at",), condition=models.Q(status="pending"), name="correction_due"
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(status="done") | models.Q(done_at__isnull=False),
                name="done_correction_has_its_instant",
            ),
        )

    def __str__(self) -> str:
        return f"report of {self.correction_id}: {self.status}"
