"""Claims of fixes, made by runners before they start to work."""

import uuid

from django.db import models
from django.utils import timezone

from customers.models import Customer
from phases.models import Repository


class UsageClaim(models.Model):
    """One fix reserved for one issue until `expires_at`, so that work is rejected before it costs anything.

    There is one row per issue: claiming again extends it, and recording the issue's fix sets `used_at`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="usage_claims")
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="usage_claims")
    issue_number = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("customer", "expires_at"),
                condition=models.Q(used_at=None),
                name="usage_claim_of_customer",
            ),
        )
        constraints = (
            models.UniqueConstraint(fields=("repository", "issue_number"), name="claim_once_per_issue"),
        )

    def __str__(self) -> str:
        return f"claim on issue {self.issue_number}"
