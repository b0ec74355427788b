"""Claims on namespaces of forges, such as GitHub organizations."""

import uuid

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from .customer import Customer


class ForgeAccount(models.Model):
    """A customer's claim on a namespace of a forge. See docs/decisions/024.

    A claim is provisional until `proven_at`: other customers may claim the same namespace, and each stores
    data separately. At most one claim per namespace is proven and not released; it excludes other customers.
    A released claim keeps its stored data, which still belongs to that customer. Names are compared
    case-insensitively.
    """

    class Forge(models.TextChoices):
        GITHUB = "github", "GitHub"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="forge_accounts")
    forge = models.CharField(max_length=10, choices=Forge.choices, default=Forge.GITHUB)
    namespace = models.CharField(max_length=100)
    claimed_at = models.DateTimeField(default=timezone.now, editable=False)
    proven_at = models.DateTimeField(null=True, blank=True, editable=False)
    released_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("namespace",)
        indexes = (models.Index("forge", Lower("namespace"), name="namespace_of_forge"),)
        constraints = (
            models.UniqueConstraint(
                "forge",
                Lower("namespace"),
                condition=models.Q(released_at=None, proven_at__isnull=False),
                name="namespace_proven_by_one",
            ),
            models.UniqueConstraint(
                "customer",
                "forge",
                Lower("namespace"),
                condition=models.Q(released_at=None),
                name="namespace_claimed_once_each",
            ),
        )

    def __str__(self) -> str:
        return self.namespace

    @property
    def is_held(self) -> bool:
        return self.released_at is None

    @property
    def is_proven(self) -> bool:
        """Whether the claim excludes other customers from the namespace."""
        return self.is_held and self.proven_at is not None
