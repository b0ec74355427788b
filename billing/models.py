"""Money: where customers stand, the ledger, what Stripe is still to be told, and what it told us."""

import uuid

from django.db import models
from django.utils import timezone

from customers.models import Customer
from phases.models import PhaseExecution, Repository


class BillingAccount(models.Model):
    """Where a customer stands: plan and subscription as last derived from Stripe.

    Its row is the lock under which a customer's fixes are counted.
    """

    class Plan(models.TextChoices):
        TRIAL = "trial", "Trial"
        PAYG = "payg", "Pay as you go"
        TEAMS = "teams", "Teams"

    class Status(models.TextChoices):
        TRIALING = "trialing"
        PENDING = "pending", "Waiting for Stripe"
        ACTIVE = "active"
        PAST_DUE = "past_due", "Past due"
        UNPAID = "unpaid"
        CANCELED = "canceled"

    customer = models.OneToOneField(
        Customer, on_delete=models.PROTECT, primary_key=True, related_name="billing_account"
    )
    plan = models.CharField(max_length=10, choices=Plan.choices, default=Plan.TRIAL)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.TRIALING)
    trial_fixes_limit = models.PositiveIntegerField(default=10)
    stripe_customer_id: str | None
    stripe_customer = models.ForeignKey(
        "djstripe.Customer", to_field="id", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    subscription_id: str | None
    subscription = models.ForeignKey(
        "djstripe.Subscription",
        to_field="id",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    current_period_start = models.DateTimeField(null=True, blank=True)
    current_period_end = models.DateTimeField(null=True, blank=True)
    plan_chosen_at = models.DateTimeField(null=True, blank=True)
    payment_method = models.CharField(
        max_length=255,
        blank=True,
        help_text="Stripe's id of what pays for a plan that is still to be opened.",
    )
    next_attempt_at = models.DateTimeField(
        null=True, blank=True, help_text="When a pending plan is tried again."
    )
    attempts = models.PositiveIntegerField(default=0, help_text="To open the pending plan.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(plan="trial", status__in=("trialing", "canceled"))
                | (~models.Q(plan="trial") & ~models.Q(status="trialing")),
                name="billing_account_status_fits_plan",
            ),
        )

    def __str__(self) -> str:
        return f"{self.customer} on {self.get_plan_display()}"

    @property
    def has_subscription(self) -> bool:
        """Whether a subscription runs at Stripe, paid or not, or is about to."""
        return self.status not in (self.Status.TRIALING, self.Status.CANCELED)

    @property
    def can_meter(self) -> bool:
        """Whether a fix made now is billed through the meter."""
        return self.plan != self.Plan.TRIAL and self.status in (
            self.Status.PENDING,
            self.Status.ACTIVE,
            self.Status.PAST_DUE,
        )


class UsageRecord(models.Model):
    """One fix in the ledger. Append-only: rows are neither changed nor deleted (see billing/ledger.py).

    A fix stands here once per repository and issue, with the plan and unit price (US cents) of its moment.
    `coverage` says who pays: the trial, the meter, or nobody (a fix made without a plan to bill it to).
    """

    class Coverage(models.TextChoices):
        TRIAL = "trial", "Free, of the trial"
        METERED = "metered", "Metered"
        UNBILLED = "unbilled", "Never billed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="usage_records")
    execution = models.ForeignKey(PhaseExecution, on_delete=models.PROTECT, related_name="usage_records")
    repository = models.ForeignKey(Repository, on_delete=models.PROTECT, related_name="usage_records")
    issue_number = models.PositiveBigIntegerField()
    coverage = models.CharField(max_length=10, choices=Coverage.choices)
    plan = models.CharField(max_length=10, choices=BillingAccount.Plan.choices)
    unit_price_cents = models.PositiveIntegerField()
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    stripe_customer_id: str | None
    stripe_customer = models.ForeignKey(
        "djstripe.Customer", to_field="id", null=True, on_delete=models.PROTECT, related_name="+"
    )
    subscription_id: str | None
    subscription = models.ForeignKey(
        "djstripe.Subscription", to_field="id", null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("-occurred_at",)
        indexes = (models.Index(fields=("customer", "coverage", "occurred_at"), name="usage_of_customer"),)
        constraints = (
            models.UniqueConstraint(fields=("repository", "issue_number"), name="fix_billed_once_per_issue"),
            models.CheckConstraint(
                condition=~models.Q(coverage="metered") | ~models.Q(plan="trial"),
                name="trial_is_never_metered",
            ),
        )

    def __str__(self) -> str:
        return f"fix of issue {self.issue_number} ({self.coverage})"


class UsageReport(models.Model):
    """What is to be told to Stripe's meter about one ledger row, and how far that has come.

    `meter_at` is the instant that the last attempt gave its event, `earlier_meter_at` another that an
    attempt before it gave; `first_sent_at` is when this bout of attempts began. All are committed before
    the call, so that whatever happens in it, we know what may have been counted.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        REPORTED = "reported"
        REJECTED = "rejected", "Refused by Stripe"

    usage = models.OneToOneField(
        UsageRecord, on_delete=models.PROTECT, primary_key=True, related_name="report"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="usage_reports")
    meter_at = models.DateTimeField(null=True, blank=True, help_text="The meter event's own instant.")
    earlier_meter_at = models.DateTimeField(null=True, blank=True)
    bout = models.PositiveSmallIntegerField(
        default=1, help_text="Grows when a settlement finds that the event never arrived."
    )
    first_sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    reported_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("customer", "meter_at"), name="usage_report_of_customer"),
            models.Index(
                fields=("next_attempt_at",), condition=models.Q(status="pending"), name="usage_report_due"
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(status="reported") | models.Q(reported_at__isnull=False),
                name="reported_has_its_instant",
            ),
        )

    def __str__(self) -> str:
        return f"report of {self.usage_id}: {self.status}"

    @property
    def identifier(self) -> str:
        """What the meter event is called. A new bout has a new name: the meter may remember the old one."""
        return f"{self.usage_id}" if self.bout == 1 else f"{self.usage_id}-{self.bout}"


class InboxEvent(models.Model):
    """A webhook from Stripe, kept before anything is done about it: one row, however often it came."""

    event_id = models.CharField(max_length=255, primary_key=True)
    event_type = models.CharField(max_length=100)
    payload = models.TextField()
    received_at = models.DateTimeField(default=timezone.now, editable=False)
    processed_at = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-received_at",)
        verbose_name = "webhook event"
        indexes = (
            models.Index(
                fields=("next_attempt_at",), condition=models.Q(processed_at=None), name="inbox_event_due"
            ),
        )

    def __str__(self) -> str:
        return f"{self.event_type} ({self.event_id})"
