"""Namespaces on forges."""

import uuid

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from .customer import Customer


class ForgeAccount(models.Model):
    """A namespace on a forge, held by the one customer who used it first until it is released.

    Compared without case. One that is released stays, with what was stored in it, as that customer's.
    """

    class Forge(models.TextChoices):
        GITHUB = "github", "GitHub"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="forge_accounts")
    forge = models.CharField(max_length=10, choices=Forge.choices, default=Forge.GITHUB)
    namespace = models.CharField(max_length=100)
    claimed_at = models.DateTimeField(default=timezone.now, editable=False)
    released_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("namespace",)
        constraints = (
            models.UniqueConstraint(
                "forge",
                Lower("namespace"),
                condition=models.Q(released_at=None),
                name="forge_namespace_held_by_one",
            ),
        )

    def __str__(self) -> str:
        return self.namespace
