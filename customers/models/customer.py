"""Customers (the accounts that pay) and their members."""

import uuid
from typing import Any

from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone

from .key_invalidations import KeyInvalidation
from .people import User

# Fields that decide whether a customer's API keys are valid.
KEY_FIELDS = frozenset({"closed_at", "blocked_at"})


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Queries that invalidate cached API keys whenever a change affects them."""

    def update(self, **fields: Any) -> int:
        if KEY_FIELDS.isdisjoint(fields):
            return super().update(**fields)
        with transaction.atomic():
            return super(CustomerQuerySet, self._mark()).update(**fields)

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            rows = self._mark()
            # By hash, because the keys are deleted too: afterwards the customer's mark would find none.
            hashes = rows.filter(api_keys__isnull=False).values_list("api_keys__key_hash", flat=True)
            KeyInvalidation.objects.mark(key_hashes=hashes)
            return super(CustomerQuerySet, rows).delete()

    # As in Django: the manager has no delete(), which would delete every row.
    delete.queryset_only = True  # type: ignore[attr-defined]

    def _mark(self) -> "CustomerQuerySet":
        """Lock the customers and mark their keys for invalidation; return exactly these customers.

        Rows that start to match the query meanwhile are not included: their keys are not marked.
        """
        ids = list(self.order_by().select_for_update(of=("self",)).values_list("pk", flat=True))
        KeyInvalidation.objects.mark(customers=ids)
        return Customer.objects.filter(pk__in=ids)


class Customer(models.Model):
    """The account that pays. `email` receives bills and alerts and is dj-stripe's subscriber address."""

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
        null=True, blank=True, help_text="When the setup steps were hidden."
    )
    closed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the account was closed. Its API keys are invalid from then on."
    )
    blocked_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when staff have blocked its API keys."
    )
    blocked_reason = models.CharField(max_length=300, blank=True, help_text="Only shown to staff.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    members: "models.ManyToManyField[User, Membership]" = models.ManyToManyField(
        User, through="Membership", related_name="customers"
    )

    objects = CustomerQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            # A closed account is kept because of its ledger. A new account may use its address.
            models.UniqueConstraint(
                Lower("email"), condition=models.Q(closed_at=None), name="customer_email_unique_while_open"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @transaction.atomic
    def save(self, **options: Any) -> None:
        # Read before super().save(), which resets it.
        is_new = self._state.adding
        fields = options.get("update_fields")
        super().save(**options)
        if not is_new and (fields is None or not KEY_FIELDS.isdisjoint(fields)):
            KeyInvalidation.objects.mark(customers=[self.pk])

    @transaction.atomic
    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        KeyInvalidation.objects.mark(key_hashes=self.api_keys.values_list("key_hash", flat=True))
        return super().delete(*args, **options)


class Membership(models.Model):
    """A person's membership in a customer, with a role."""

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
        """Whether the member may change keys, members and settings."""
        return self.role in (self.Role.OWNER, self.Role.ADMIN)
