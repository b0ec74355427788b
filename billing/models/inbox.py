"""The inbox of Stripe's webhooks."""

from django.db import models
from django.utils import timezone

from billing.metrics import WEBHOOKS_PROCESSED
from core.outbox.models import OutboxRow, outbox_constraints, outbox_indexes
from core.outbox.policy import Policy


class InboxEvent(OutboxRow):
    """A webhook event, stored before it is processed. Duplicates share one row.

    Source: docs/decisions/006-webhook-inbox.md
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        PROCESSED = "processed"
        PARKED = "parked", "Waits for staff"

    policy = Policy(task="billing.tasks.process_webhook", max_failures=12)

    event_id = models.CharField(max_length=255, primary_key=True)
    event_type = models.CharField(max_length=100)
    payload = models.TextField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    received_at = models.DateTimeField(default=timezone.now, editable=False)
    processed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-received_at",)
        verbose_name = "webhook event"
        indexes = outbox_indexes("inbox_event")
        constraints = outbox_constraints("inbox_event")

    def __str__(self) -> str:
        return f"{self.event_type} ({self.event_id})"

    def count_parked(self) -> None:
        WEBHOOKS_PROCESSED.labels("failed").inc()
