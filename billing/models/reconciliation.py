"""Reconciliation runs and the discrepancies that they found."""

import uuid

from django.db import models
from django.utils import timezone

from customers.models import Customer


class Reconciliation(models.Model):
    """One run over the accounts. `finished_at` is None while it runs, and stays None if it was aborted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    accounts = models.PositiveIntegerField(default=0)
    unanswered = models.PositiveIntegerField(
        default=0, help_text="Accounts about which Stripe did not answer."
    )

    class Meta:
        ordering = ("-started_at",)
        get_latest_by = "started_at"

    def __str__(self) -> str:
        return f"reconciliation of {self.started_at:%Y-%m-%d %H:%M}"


class Discrepancy(models.Model):
    """A difference between the ledger, Stripe's meter and the portal for one customer and period.

    `ledger`, `stripe` and `portal` are numbers of fixes.
    """

    class Kind(models.TextChoices):
        MISSING_AT_STRIPE = "missing_at_stripe", "Reported, but not on the meter"
        UNKNOWN_AT_STRIPE = "unknown_at_stripe", "On the meter, but not in the ledger"
        PORTAL = "portal", "Portal count differs"
        STALE_ACCOUNT = "stale_account", "Account differs from its subscription"
        INVOICE = "invoice", "Invoice differs from its fixes"
        UNBILLED = "unbilled", "Metered without an active plan"

    class State(models.TextChoices):
        OPEN = "open"
        REPAIRED = "repaired"
        RESOLVED = "resolved", "Resolved, or settled by staff"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    found_in = models.ForeignKey(Reconciliation, on_delete=models.CASCADE, related_name="discrepancies")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="discrepancies")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    ledger = models.IntegerField()
    stripe = models.IntegerField()
    portal = models.IntegerField()
    detail = models.CharField(max_length=500, blank=True)
    found_at = models.DateTimeField(default=timezone.now, editable=False)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-found_at",)
        verbose_name_plural = "discrepancies"
        constraints = (
            models.UniqueConstraint(
                fields=("customer", "kind", "period_start"),
                condition=models.Q(state="open"),
                name="discrepancy_open_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.ledger}, {self.stripe}, {self.portal}"
