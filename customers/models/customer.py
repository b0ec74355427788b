"""The accounts that pay, and the people in them."""

import uuid

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from .people import User


class Customer(models.Model):
    """The account that pays. `email` is where its bills and alerts go, and dj-stripe's subscriber address."""

    class SignupSource(models.TextChoices):
        FORM = "form", "Signup form"
        API = "api", "API"
        GITHUB = "github", "GitHub"
        STAFF = "staff", "Staff"
        COMMAND = "command", "Command"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254)
    signup_source = models.CharField(max_length=10, choices=SignupSource.choices, default=SignupSource.FORM)
    setup_hidden_at = models.DateTimeField(
        null=True, blank=True, help_text="When its people put the setup steps away."
    )
    closed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the account was closed: its keys are refused from then on."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    members: "models.ManyToManyField[User, Membership]" = models.ManyToManyField(
        User, through="Membership", related_name="customers"
    )

    class Meta:
        ordering = ("-created_at",)
        constraints = (models.UniqueConstraint(Lower("email"), name="customer_email_unique_without_case"),)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's place in a customer."""

    class Role(models.TextChoices):
        OWNER = "owner"
        ADMIN = "admin"
        MEMBER = "member"
        BILLING = "billing"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    wants_alerts = models.BooleanField(default=True, help_text="Mail about usage and payments.")
    wants_guidance = models.BooleanField(default=True, help_text="Mail about the next step after signup.")
    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("customer", "user"), name="membership_once_per_customer"),
            models.CheckConstraint(
                condition=models.Q(role__in=("owner", "admin", "member", "billing")),
                name="membership_role_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} ({self.role}) of {self.customer}"

    @property
    def may_see_billing(self) -> bool:
        return self.role in (self.Role.OWNER, self.Role.ADMIN, self.Role.BILLING)

    @property
    def may_manage(self) -> bool:
        """Whether keys, members and settings are theirs to change."""
        return self.role in (self.Role.OWNER, self.Role.ADMIN)
