"""The proofs and fixes that a customer's runners stored, one row per issue."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from core.errors import NotFound
from customers.models import Customer
from phases.models import PhaseExecution

Phase = PhaseExecution.Phase
Outcome = PhaseExecution.Outcome


@dataclass(frozen=True)
class FixFilter:
    """Conditions on the listed issues; empty and None do not filter. The span is `since <= t < until`."""

    repository_id: UUID | None = None
    phase: str = ""
    outcome: str = ""
    severity: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def conditions(self) -> Q:
        fields = {
            "repository": self.repository_id,
            "phase": self.phase,
            "outcome": self.outcome,
            "updated_at__gte": self.since,
            "updated_at__lt": self.until,
        }
        found = Q(**{name: value for name, value in fields.items() if value})
        if self.severity:
            found &= Q(severity="" if self.severity == "unknown" else self.severity)
        return found


@dataclass(frozen=True)
class FixTimeline:
    """All stored phases of one issue, and the scan before them. The scan's `data` is deferred.

    `latest` is the mitigation, or the validation where no mitigation is stored.
    """

    latest: PhaseExecution
    scan: PhaseExecution | None
    validation: PhaseExecution | None
    mitigation: PhaseExecution | None


def list_fixes(*, customer: Customer, fix_filter: FixFilter | None = None) -> QuerySet[PhaseExecution]:
    """List each issue by its furthest phase, validation or mitigation, newest first, with its repository."""
    rows = _list_rows(customer)
    if fix_filter:
        rows = rows.filter(fix_filter.conditions)
    return rows.select_related("repository__forge_account").order_by("-updated_at", "pk")


def list_latest_fixes(*, customer: Customer, limit: int) -> QuerySet[PhaseExecution]:
    """List the customer's mitigations, newest first, with their repositories."""
    return list_fixes(customer=customer, fix_filter=FixFilter(phase=Phase.MITIGATION))[:limit]


def count_fixes_by_outcome(*, customer: Customer, since: datetime) -> dict[str, int]:
    """Count the issues that changed at or after `since`, by outcome: fixed, unverified, failed and proved."""
    is_fix = Q(phase=Phase.MITIGATION)
    return (
        _list_rows(customer)
        .filter(updated_at__gte=since)
        .aggregate(
            fixed=Count("pk", filter=is_fix & Q(outcome=Outcome.SUCCEEDED)),
            unverified=Count("pk", filter=is_fix & Q(outcome=Outcome.UNVERIFIED)),
            failed=Count("pk", filter=is_fix & Q(outcome=Outcome.FAILED)),
            proved=Count("pk", filter=~is_fix & Q(outcome=Outcome.SUCCEEDED)),
        )
    )


def get_fix_timeline(*, customer: Customer, execution_id: UUID) -> FixTimeline:
    """Return the phases of one of the customer's issues, by the id of its validation or its mitigation.

    Raises NotFound, for a scan and for another customer's issue too.
    """
    asked = (
        PhaseExecution.objects.exclude(phase=Phase.SCAN)
        .filter(customer=customer, pk=execution_id)
        .select_related("repository__forge_account")
        .first()
    )
    if asked is None:
        raise NotFound
    of_issue = PhaseExecution.objects.exclude(phase=Phase.SCAN).filter(
        repository=asked.repository_id, issue_number=asked.issue_number
    )
    phases = {row.phase: row for row in of_issue.select_related("repository__forge_account")}
    first = min(row.created_at for row in phases.values())
    scans = PhaseExecution.objects.filter(customer=customer, phase=Phase.SCAN, repository=asked.repository_id)
    return FixTimeline(
        latest=phases.get(Phase.MITIGATION) or phases[Phase.VALIDATION],
        scan=scans.filter(created_at__lte=first).defer("data").order_by("-created_at").first(),
        validation=phases.get(Phase.VALIDATION),
        mitigation=phases.get(Phase.MITIGATION),
    )


def _list_rows(customer: Customer) -> QuerySet[PhaseExecution]:
    # `data` is deferred: one stored result may have megabytes, and no list shows it.
    rows = PhaseExecution.objects.filter(~Q(phase=Phase.SCAN), customer=customer, is_superseded=False)
    return rows.defer("data")
