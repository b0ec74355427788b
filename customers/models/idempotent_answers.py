"""Stored responses of requests with an Idempotency-Key."""

from django.db import models
from django.utils import timezone

from .customer import Customer


class IdempotentAnswer(models.Model):
    """The response to a request with an Idempotency-Key. `status_code` is null while the request runs."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of path and body.")
    started_at = models.DateTimeField(default=timezone.now)
    status_code = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("customer", "key"), name="idempotency_key_once"),)
        indexes = (models.Index(fields=("started_at",), name="idempotent_answer_age"),)

    def __str__(self) -> str:
        return f"{self.key}: {self.status_code or 'in flight'}"
