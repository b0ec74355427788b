"""How far a signup has come."""

import uuid

from django.db import models
from django.utils import timezone

from customers.models import Customer


class ProvisioningEvent(models.Model):
    """One step from signup to the first fix, for one customer: done once, and resumed until it is.

    A step is due at `due_at`; `next_attempt_at` is when it is tried (again), None when it is over.
    """

    class Step(models.TextChoices):
        ACCOUNT = "account", "Customer, owner and key"
        STRIPE_CUSTOMER = "stripe_customer", "Stripe customer"
        WELCOME_MAIL = "welcome_mail", "Welcome mail"
        MAIL_DAY_1 = "mail_day_1", "Mail after a day"
        MAIL_DAY_3 = "mail_day_3", "Mail after three days"
        MAIL_DAY_7 = "mail_day_7", "Mail after seven days"

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        SKIPPED = "skipped", "No longer applies"
        FAILED = "failed", "Waits for staff"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="provisioning_events")
    step = models.CharField(max_length=20, choices=Step.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    due_at = models.DateTimeField(default=timezone.now)
    next_attempt_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("customer", "due_at")
        indexes = (
            models.Index(
                fields=("next_attempt_at",), condition=models.Q(state="pending"), name="provisioning_due"
            ),
        )
        constraints = (models.UniqueConstraint(fields=("customer", "step"), name="provisioning_step_once"),)

    def __str__(self) -> str:
        return f"{self.get_step_display()}: {self.state}"


class OutgoingMail(models.Model):
    """A mail on its way to one address, so that no request waits for a mail server.

    Its text may hold a code or a link that logs in: it is emptied as soon as it is sent or given up.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=255)
    text = models.TextField()
    html = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            models.Index(
                fields=("next_attempt_at",),
                condition=models.Q(next_attempt_at__isnull=False),
                name="outgoing_mail_due",
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject} ({self.created_at:%Y-%m-%d %H:%M})"
