"""Refunds and disputes."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer


class PaymentIncident(models.Model):
    """A refund or dispute as last read from Stripe. `amount_cents` is in cents of `currency`."""

    class Kind(models.TextChoices):
        REFUND = "refund", _("Refund")
        DISPUTE = "dispute", _("Dispute")

    stripe_id = models.CharField(max_length=255, primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="payment_incidents")
    charge = models.CharField(max_length=255, blank=True)
    invoice = models.CharField(max_length=255, blank=True)
    amount_cents = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=40)
    reason = models.CharField(max_length=100, blank=True)
    occurred_at = models.DateTimeField()
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-occurred_at",)
        indexes = (models.Index(fields=("customer", "-occurred_at"), name="incident_of_customer"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.stripe_id} ({self.status})"
