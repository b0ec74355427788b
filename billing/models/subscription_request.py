"""Plans that were chosen and are still to be opened at Stripe."""

from datetime import timedelta

from django.db import models

from core.outbox import OutboxRow, Policy, outbox_constraints, outbox_indexes

from .account import BillingAccount


class SubscriptionRequest(OutboxRow):
    """The last subscription that was asked for by choosing a plan. Its plan is the account's.

    `payment_method` is Stripe's id of what is to pay for it; empty once the request is done.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        REJECTED = "rejected", "Rejected by Stripe"
        PARKED = "parked", "Waits for staff"

    # Somebody waits for it.
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
