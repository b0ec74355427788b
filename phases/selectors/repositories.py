"""Repositories and their results."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery

from customers.models import Customer
from phases.models import PhaseExecution, Repository

Phase = PhaseExecution.Phase
Outcome = PhaseExecution.Outcome


@dataclass(frozen=True)
class RepositoryRow:
    """A repository with counts of its results. `findings` are those of its latest scan, None without one."""

    id: UUID
    namespace: str
    name: str
    claimed_at: datetime
    first_seen_at: datetime
    last_activity_at: datetime | None
    findings: int | None
    proved: int
    fixed: int
    not_fixed: int

    @property
    def full_name(self) -> str:
        return f"{self.namespace}/{self.name}"


def list_repositories(*, customer: Customer) -> QuerySet[Repository]:
    """List the customer's repositories by name, with their namespaces. `count_results` adds the counts."""
    return (
        Repository.objects.filter(forge_account__customer=customer)
        .select_related("forge_account")
        .order_by("forge_account__namespace", "name", "pk")
    )


def list_repository_names(
    *, customer: Customer, limit: int, chosen: UUID | None = None
) -> list[tuple[UUID, str]]:
    """List the options of a select: the first `limit` by name, and the chosen one even if it is beyond."""
    names = list_repositories(customer=customer).values_list("pk", "forge_account__namespace", "name")
    offered = list(names[:limit])
    if chosen and all(pk != chosen for pk, _, _ in offered):
        offered += names.filter(pk=chosen)
    return [(pk, f"{namespace}/{name}") for pk, namespace, name in offered]


def count_results(*, repositories: list[Repository]) -> list[RepositoryRow]:
    """Count the results of each repository, in the given order. One query."""
    scans = PhaseExecution.objects.filter(repository=OuterRef("pk"), phase=Phase.SCAN)
    is_fix = Q(phase_executions__phase=Phase.MITIGATION)
    is_proof = Q(phase_executions__phase=Phase.VALIDATION)
    succeeded = Q(phase_executions__outcome=Outcome.SUCCEEDED)
    counted = (
        Repository.objects.filter(pk__in=[each.pk for each in repositories])
        .order_by()
        .annotate(
            last_activity_at=Max("phase_executions__updated_at"),
            proved=Count("phase_executions", filter=is_proof & succeeded),
            fixed=Count("phase_executions", filter=is_fix & succeeded),
            not_fixed=Count("phase_executions", filter=is_fix & ~succeeded),
            found=Subquery(scans.order_by("-updated_at").values("findings")[:1]),
        )
    )
    found = {
        each["pk"]: each
        for each in counted.values("pk", "last_activity_at", "proved", "fixed", "not_fixed", "found")
    }
    return [_to_row(each, found[each.pk]) for each in repositories]


def _to_row(repository: Repository, counted: Mapping[str, Any]) -> RepositoryRow:
    return RepositoryRow(
        id=repository.pk,
        namespace=repository.forge_account.namespace,
        name=repository.name,
        claimed_at=repository.forge_account.claimed_at,
        first_seen_at=repository.first_seen_at,
        last_activity_at=counted["last_activity_at"],
        findings=counted["found"],
        proved=counted["proved"],
        fixed=counted["fixed"],
        not_fixed=counted["not_fixed"],
    )
