"""Feature flags that staff turn on and off at run time."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class FeatureFlag(models.Model):
    """A feature flag and who changed it last. A flag without a row is on."""

    class Name(models.TextChoices):
        BILLING_ENABLED = "billing_enabled", "Usage is sent to Stripe"

    name = models.CharField(max_length=30, choices=Name.choices, primary_key=True)
    is_on = models.BooleanField(default=True)
    reason = models.CharField(max_length=300, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    changed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.get_name_display()}: {'on' if self.is_on else 'off'}"
