"""Unconfirmed signups, trials, provisioning steps and outgoing mail."""

import uuid
from datetime import timedelta

from django.db import models
from django.utils import timezone

from core.outbox.models import OutboxRow, outbox_constraints, outbox_indexes
from core.outbox.policy import Policy
from customers.models import Customer

from .metrics import STEPS


class SignupRequest(models.Model):
    """A signup whose address is not confirmed yet: no customer, no person, and no working key.

    The account is created once the owner of the address confirms it. An address may have several requests;
    confirming one deletes the others. `secret_hash` is the hash of the code or of the link's token. `id`
    becomes the customer's id.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=10, choices=Customer.SignupSource.choices)
    name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often a code was entered.")
    password = models.CharField(max_length=128, blank=True, editable=False, help_text="Hashed.")
    key_prefix = models.CharField(max_length=14, blank=True, editable=False)
    key_hash = models.CharField(max_length=64, blank=True, editable=False)
    asked_from = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("email",), name="signup_request_of_address"),
            models.Index(fields=("created_at",), name="signup_request_age"),
        )

    def __str__(self) -> str:
        return f"{self.email} ({self.created_at:%Y-%m-%d %H:%M})"


class TrialGrant(models.Model):
    """The one trial of a mailbox, and the account that has it now. It moves to the owner's next account.

    `organization` is the registered domain, by which trials are limited; empty if they are not.
    """

    mailbox = models.CharField(max_length=254, unique=True)
    organization = models.CharField(max_length=254, blank=True)
    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="trial_grant")
    granted_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-granted_at",)
        indexes = (
            models.Index(
                fields=("organization", "granted_at"),
                condition=~models.Q(organization=""),
                name="trial_grants_of_organization",
            ),
        )

    def __str__(self) -> str:
        return self.mailbox


class ProvisioningRun(models.Model):
    """A customer's provisioning: the number of steps it started with, and when it was found complete.

    A complete run is not checked again, so that steps added in a later release do not count as missing.
    """

    customer = models.OneToOneField(
        Customer, on_delete=models.CASCADE, primary_key=True, related_name="provisioning_run"
    )
    steps = models.PositiveSmallIntegerField(help_text="The number of steps it started with.")
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-started_at",)
        indexes = (
            models.Index(
                fields=("started_at",),
                condition=models.Q(completed_at=None),
                name="provisioning_run_incomplete",
            ),
        )

    def __str__(self) -> str:
        return f"provisioning of {self.customer_id}"


class ProvisioningEvent(OutboxRow):
    """One step of a customer's provisioning, from signup to the first fix. Retried until it is done.

    `due_at` is when the step is first due; after a failure, `next_attempt_at` is later.
    """

    class Step(models.TextChoices):
        ACCOUNT = "account", "Customer, owner and key"
        STRIPE_CUSTOMER = "stripe_customer", "Stripe customer"
        WELCOME_MAIL = "welcome_mail", "Welcome mail"
        MAIL_DAY_1 = "mail_day_1", "Mail after a day"
        MAIL_DAY_3 = "mail_day_3", "Mail after three days"
        MAIL_DAY_7 = "mail_day_7", "Mail after seven days"

    class Status(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        SKIPPED = "skipped", "No longer applies"
        PARKED = "parked", "Waits for staff"

    policy = Policy(task="provisioning.tasks.run_step", max_failures=50)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="provisioning_events")
    step = models.CharField(max_length=20, choices=Step.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    due_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("customer", "due_at")
        indexes = outbox_indexes("provisioning")
        constraints = (
            *outbox_constraints("provisioning"),
            models.UniqueConstraint(fields=("customer", "step"), name="provisioning_step_once"),
        )

    def __str__(self) -> str:
        return f"{self.get_step_display()}: {self.status}"

    def count_parked(self) -> None:
        STEPS.labels(step=self.step, state="failed").inc()


class OutgoingMail(OutboxRow):
    """A mail to one address, sent by a worker so that no request waits for a mail server.

    Its text may contain a code or a login link, so it is deleted once the mail is sent or given up. The row
    itself, with the address, is deleted after MAIL_RETENTION_DAYS.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        EXPIRED = "expired", "Given up: its code or link has expired"
        PARKED = "parked", "Waits for staff"

    policy = Policy(task="provisioning.tasks.send_mail", longest_wait=timedelta(seconds=30))

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=255)
    text = models.TextField()
    html = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            *outbox_indexes("outgoing_mail"),
            models.Index(fields=("created_at",), name="outgoing_mail_age"),
        )
        constraints = outbox_constraints("outgoing_mail")

    def __str__(self) -> str:
        return f"{self.subject} ({self.created_at:%Y-%m-%d %H:%M})"
