"""Requests to create a subscription at Stripe."""

from datetime import timedelta

from django.db import models

from core.outbox.models import OutboxRow, outbox_constraints, outbox_indexes
from core.outbox.policy import Policy

from .account import BillingAccount


class SubscriptionRequest(OutboxRow):
    """The outbox row of an account's last chosen plan. The plan itself is on the account.

    `payment_method` is the Stripe id of the payment method, cleared when the request is done.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        REJECTED = "rejected", "Rejected by Stripe"
        PARKED = "parked", "Waits for staff"

    # A person is waiting for the subscription, so attempts are at most this far apart.
    policy = Policy(task="billing.tasks.open_subscription", longest_wait=timedelta(minutes=3))

    account = models.OneToOneField(
        BillingAccount, on_delete=models.CASCADE, primary_key=True, related_name="subscription_request"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    payment_method = models.CharField(max_length=255, blank=True)
    requested_at = models.DateTimeField()

    class Meta:
        ordering = ("-requested_at",)
        indexes = outbox_indexes("subscription_request")
        constraints = outbox_constraints("subscription_request")

    def __str__(self) -> str:
        return f"subscription of {self.account_id}: {self.status}"
