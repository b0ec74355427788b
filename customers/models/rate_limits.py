"""API rate limits of a plan or a customer that differ from the default."""

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models, transaction

from .customer import Customer
from .key_invalidations import KeyInvalidation
from .keys import ApiKey


class RateLimit(models.Model):
    """Requests per minute of one customer, or of all customers of a plan, in place of the default.

    Stored with the keys in the key cache, so that requests do not query it. A change applies to the next
    request. If a customer changes plans, the new plan's limit applies within KEY_CACHE_SECONDS.
    """

    customer = models.OneToOneField(
        Customer, null=True, blank=True, on_delete=models.CASCADE, related_name="rate_limit"
    )
    plan = models.CharField(max_length=10, null=True, blank=True, unique=True)  # noqa: DJ001 - unique where there is one
    requests_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Empty: the plan's or default limit.",
    )
    test_integration_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Analyze, generate and naming together. Empty: the plan's or default limit.",
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(customer=None, plan__isnull=False)
                | models.Q(customer__isnull=False, plan=None),
                name="rate_limit_of_customer_or_plan",
                violation_error_message="Choose a customer or a plan, not both.",
            ),
            models.CheckConstraint(
                condition=(models.Q(requests_per_minute=None) | models.Q(requests_per_minute__gte=1))
                & (models.Q(test_integration_per_minute=None) | models.Q(test_integration_per_minute__gte=1)),
                name="rate_limit_lets_some_pass",
            ),
        )

    def __str__(self) -> str:
        return f"limits of {self.customer or self.plan}"

    @transaction.atomic
    def save(self, **options: Any) -> None:
        super().save(**options)
        self._mark()

    @transaction.atomic
    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        self._mark()
        return super().delete(*args, **options)

    def _mark(self) -> None:
        """Invalidate the cached keys that this limit applies to: for a plan, all active keys."""
        if self.customer_id:
            KeyInvalidation.objects.mark(customers=[self.customer_id])
        else:
            KeyInvalidation.objects.mark(
                key_hashes=ApiKey.objects.active().values_list("key_hash", flat=True)
            )
