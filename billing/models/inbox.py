"""What Stripe told us."""

from django.db import models
from django.utils import timezone


class InboxEvent(models.Model):
    """A webhook from Stripe, kept before anything is done about it: one row, however often it came."""

    event_id = models.CharField(max_length=255, primary_key=True)
    event_type = models.CharField(max_length=100)
    payload = models.TextField()
    received_at = models.DateTimeField(default=timezone.now, editable=False)
    processed_at = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-received_at",)
        verbose_name = "webhook event"
        indexes = (
            models.Index(
                fields=("next_attempt_at",), condition=models.Q(processed_at=None), name="inbox_event_due"
            ),
        )

    def __str__(self) -> str:
        return f"{self.event_type} ({self.event_id})"
