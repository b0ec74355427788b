"""Billing notifications to customers."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.outbox.models import OutboxRow, outbox_constraints, outbox_indexes
from core.outbox.policy import Policy
from customers.models import Customer


class Notification(OutboxRow):
    """A notification by email and in the portal, sent once per kind and `reference`.

    `reference` identifies its subject: an invoice's id, or a threshold and the start of its period.
    `data` holds the values that the text needs.
    """

    class Kind(models.TextChoices):
        INCLUDED = "included", _("Included fixes used")
        CAP = "cap", _("Spend cap used")
        PAYMENT_FAILED = "payment_failed", _("Payment failed")
        ACTION_REQUIRED = "action_required", _("Bank asks for confirmation")
        BLOCKED = "blocked", _("Fixes paused after the grace period")
        RECOVERED = "recovered", _("Payment recovered")
        PLAN_CHANGED = "plan_changed", _("Plan changed")
        CORRECTED = "corrected", _("Fix corrected")
        REFUNDED = "refunded", _("Payment refunded")
        SECOND_ENDED = "second_ended", _("Second subscription ended")

    class Status(models.TextChoices):
        PENDING = "pending"
        DONE = "done", "Mailed, or not wanted"
        PARKED = "parked", "Waits for staff"

    # With backoff of up to an hour, about a day.
    policy = Policy(task="billing.tasks.send_notification", max_failures=30)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    reference = models.CharField(max_length=255)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            *outbox_indexes("notification"),
            models.Index(fields=("customer", "-created_at"), name="notification_of_customer"),
        )
        constraints = (
            *outbox_constraints("notification"),
            models.UniqueConstraint(fields=("customer", "kind", "reference"), name="notification_once"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.reference})"
