"""Results that the Action reported: scans, validations and mitigations."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, ForgeAccount

from .links import find_pull_request


class Repository(models.Model):
    """A repository in a customer's namespace. Names are case-insensitive."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    forge_account = models.ForeignKey(ForgeAccount, on_delete=models.PROTECT, related_name="repositories")
    name = models.CharField(max_length=100)
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "repositories"
        constraints = (
            models.UniqueConstraint("forge_account", Lower("name"), name="repository_once_per_namespace"),
        )

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.forge_account.namespace}/{self.name}"


class StorageUse(models.Model):
    """Storage used by a customer. See docs/decisions/025.

    `stored_bytes` is the sum of each result's data in UTF-8 and ROW_BYTES for its row. It changes in the
    transaction that stores a result; `recount_storage` corrects it. `limit_mb` overrides the plan's limit.
    """

    # Overhead of a row beside its data, so that the limit bounds many small results too.
    ROW_BYTES = 1024

    customer = models.OneToOneField(
        Customer, on_delete=models.CASCADE, primary_key=True, related_name="storage_use"
    )
    stored_bytes = models.PositiveBigIntegerField(default=0)
    limit_mb = models.PositiveIntegerField(
        "limit in MB", null=True, blank=True, help_text="Empty: as much as the plan allows."
    )

    class Meta:
        verbose_name = "storage"
        verbose_name_plural = "storage"

    def __str__(self) -> str:
        return f"storage of {self.customer_id}"


class PhaseExecution(models.Model):
    """The latest result of a phase: of a scan by commit, of a validation or mitigation by issue.

    `data` is the JSON text exactly as it was sent; the columns that lists show are derived from it when it is
    stored. `is_superseded`: a validation whose issue has a mitigation, which lists show instead.
    `announced_at` is set once, when the phase first succeeds and `phase_completed` is sent; the signal is
    never sent again, so that a fix is metered once.
    """

    class Phase(models.TextChoices):
        SCAN = "scan"
        VALIDATION = "validation"
        MITIGATION = "mitigation"

    class Outcome(models.TextChoices):
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        UNVERIFIED = "unverified"

    class Severity(models.TextChoices):
        CRITICAL = "critical", _("Critical")
        HIGH = "high", _("High")
        MEDIUM = "medium", _("Medium")
        LOW = "low", _("Low")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="phase_executions")
    repository = models.ForeignKey(Repository, on_delete=models.PROTECT, related_name="phase_executions")
    phase = models.CharField(max_length=10, choices=Phase.choices)
    commit_sha = models.CharField(max_length=255)
    issue_number = models.PositiveBigIntegerField(null=True, blank=True)
    branch = models.CharField(max_length=255, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    pull_request_url = models.URLField(max_length=500, blank=True)
    data = models.TextField()
    severity = models.CharField(max_length=10, choices=Severity.choices, blank=True)
    vulnerability_type = models.CharField(max_length=60, blank=True)
    title = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveIntegerField(null=True, blank=True)
    trust_score = models.PositiveSmallIntegerField(null=True, blank=True, help_text="In percent.")
    findings = models.PositiveIntegerField(null=True, blank=True, help_text="Of a scan.")
    is_superseded = models.BooleanField(default=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)
    announced_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-updated_at",)
        indexes = (
            models.Index(fields=("customer", "phase", "-updated_at"), name="phase_latest_of_customer"),
            models.Index(
                fields=("customer", "-updated_at"),
                condition=~models.Q(phase="scan") & models.Q(is_superseded=False),
                name="work_of_customer",
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("repository", "commit_sha"),
                condition=models.Q(phase="scan"),
                name="scan_once_per_commit",
            ),
            models.UniqueConstraint(
                fields=("repository", "phase", "issue_number"),
                condition=~models.Q(phase="scan"),
                name="phase_once_per_issue",
            ),
            models.CheckConstraint(
                condition=models.Q(phase="scan") | models.Q(issue_number__gt=0), name="phase_names_its_issue"
            ),
        )

    def __str__(self) -> str:
        return f"{self.phase} {self.outcome} ({self.commit_sha[:7]})"

    @property
    def pull_request_link(self) -> str:
        """The URL of the pull request, "" where the stored one is not at GitHub: old rows hold any URL."""
        return find_pull_request(self.pull_request_url, forge_url=settings.FORGE_URL)
