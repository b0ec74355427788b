"""Customers' billing accounts."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models

from billing.plans import PLANS
from billing.plans import Plan as PlanTerms
from customers.models import Customer


class BillingAccount(models.Model):
    """A customer's plan and subscription, as last derived from Stripe.

    Services lock this row (`lock_account`) before they count or report the customer's fixes.
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
    # By Stripe's id instead of dj-stripe's own key, so that
    # an id from an event or a call can be stored as it is.
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
    monthly_price_cents = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="From the subscription's own prices, like the next two. Empty: the plan's current prices.",
    )
    included_fixes = models.PositiveIntegerField(null=True, blank=True)
    unit_price_cents = models.PositiveIntegerField(null=True, blank=True)
    plan_chosen_at = models.DateTimeField(null=True, blank=True)
    cancel_at = models.DateTimeField(
        null=True, blank=True, help_text="When the subscription is scheduled to end."
    )
    past_due_since = models.DateTimeField(
        null=True, blank=True, help_text="When the open payment first failed."
    )
    spend_cap_cents = models.PositiveIntegerField(
        null=True, blank=True, help_text="The customer's limit for each period, in US cents."
    )
    paused_at = models.DateTimeField(
        null=True, blank=True, help_text="When reporting to Stripe was paused for this customer."
    )
    paused_reason = models.CharField(max_length=300, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        # A partial index: few accounts are past due, and every sweep and scrape looks for them.
        indexes = (
            models.Index(
                fields=("past_due_since",),
                condition=models.Q(past_due_since__isnull=False),
                name="account_past_due",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(plan="trial", status__in=("trialing", "canceled"))
                | (~models.Q(plan="trial") & ~models.Q(status="trialing")),
                name="billing_account_status_fits_plan",
            ),
            # Two would share one meter, one set of invoices and one subscription.
            models.UniqueConstraint(
                fields=("stripe_customer",),
                condition=models.Q(stripe_customer__isnull=False),
                name="stripe_customer_of_one_account",
            ),
        )

    def __str__(self) -> str:
        return f"{self.customer} on {self.get_plan_display()}"

    @property
    def terms(self) -> PlanTerms:
        """The plan with the prices that the customer subscribed to."""
        plan = PLANS[self.plan]
        if self.monthly_price_cents is None or self.included_fixes is None or self.unit_price_cents is None:
            return plan
        return replace(
            plan,
            monthly_price_cents=self.monthly_price_cents,
            included=self.included_fixes,
            unit_price_cents=self.unit_price_cents,
        )

    def set_terms(self, terms: PlanTerms | None) -> None:
        """Set the subscription's own prices, or None for the plan's current ones. Does not save."""
        self.monthly_price_cents = terms.monthly_price_cents if terms else None
        self.included_fixes = terms.included if terms else None
        self.unit_price_cents = terms.unit_price_cents if terms else None

    @property
    def has_subscription(self) -> bool:
        """Whether a subscription is running at Stripe, paid or not, or is being created."""
        return self.status not in (self.Status.TRIALING, self.Status.CANCELED)

    @property
    def can_meter(self) -> bool:
        """Whether a fix made now is metered."""
        # PAST_DUE even after the grace period: new fixes are rejected then, but one that was made is billed.
        return self.plan != self.Plan.TRIAL and self.status in (
            self.Status.PENDING,
            self.Status.ACTIVE,
            self.Status.PAST_DUE,
        )

    @property
    def grace_ends_at(self) -> datetime | None:
        """When a failed payment starts to block fixes, or None without one."""
        if self.past_due_since is None:
            return None
        return self.past_due_since + timedelta(days=settings.BILLING_GRACE_DAYS)

    def is_overdue(self, at: datetime) -> bool:
        """Whether the grace period is over. An UNPAID account, which Stripe no longer charges, has none."""
        ends_at = self.grace_ends_at
        return self.status == self.Status.PAST_DUE and ends_at is not None and ends_at <= at

    def is_blocked(self, at: datetime) -> bool:
        """Whether new fixes are blocked because of a missing payment."""
        return self.status == self.Status.UNPAID or self.is_overdue(at)
