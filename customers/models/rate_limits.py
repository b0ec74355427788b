"""API rate limits of a plan or of one customer, where they differ from the default."""

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models, transaction

from .customer import Customer
from .key_invalidations import KeyInvalidation
from .keys import ApiKey


class RateLimit(models.Model):
    """How often the customers of a plan, or one customer, may call in a minute, where it is not what all may.

    It is kept with the keys in the key cache, so that no request asks for it. A change is heeded by the next
    request; that a customer's plan changed, at the latest after KEY_CACHE_SECONDS.
    """

    customer = models.OneToOneField(
        Customer, null=True, blank=True, on_delete=models.CASCADE, related_name="rate_limit"
    )
    plan = models.CharField(max_length=10, null=True, blank=True, unique=True)  # noqa: DJ001 - unique where there is one
    requests_per_minute = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Empty: as without this row."
    )
    test_integration_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Analyze, generate and naming together. Empty: as without this row.",
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
        """Have the key cache forget whom this concerns: for a plan, everybody with a key."""
        if self.customer_id:
            KeyInvalidation.objects.mark(customers=[self.customer_id])
        else:
            KeyInvalidation.objects.mark(
                key_hashes=ApiKey.objects.active().values_list("key_hash", flat=True)
            )
