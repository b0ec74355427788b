"""Stored results, for the Action that retrieves them."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from customers.models import Customer, ForgeAccount
from phases.models import PhaseExecution, Repository

from .storage import annotate_storage


@dataclass(frozen=True)
class StoredResults:
    """JSON texts as they were stored, None where there is none."""

    scan: str | None = None
    validation: str | None = None
    mitigation: str | None = None


def find_repository(*, account: ForgeAccount, name: str) -> Repository | None:
    return _list_named(name).filter(forge_account=account).first()


def find_own_repository(*, customer: Customer, namespace: str, name: str) -> Repository | None:
    """Return a repository in a namespace with a valid claim of the customer, or None. One query.

    The row has its namespace and the annotations of `annotate_storage`.
    """
    found = _list_own(customer, namespace, name).filter(forge_account__released_at=None)
    return annotate_storage(found, customer="forge_account__customer_id").first()


def count_repositories(*, customer: Customer) -> int:
    """Count the customer's repositories, including those in released namespaces."""
    return Repository.objects.filter(forge_account__customer=customer).count()


def _list_own(customer: Customer, namespace: str, name: str) -> QuerySet[Repository]:
    return (
        _list_named(name)
        .select_related("forge_account")
        .alias(namespace=Lower("forge_account__namespace"))
        .filter(
            namespace=namespace.lower(),
            forge_account__forge=ForgeAccount.Forge.GITHUB,
            forge_account__customer=customer,
        )
    )


def _list_named(name: str) -> QuerySet[Repository]:
    return Repository.objects.alias(key=Lower("name")).filter(key=name.lower())


def get_results(*, customer: Customer, namespace: str, name: str, issue: int, commit: str) -> StoredResults:
    """Return the customer's scan of a commit, and the validation and mitigation of an issue.

    Works after the claim on the namespace has ended too. The query is the same for another customer's
    namespace and for an unclaimed one, so that neither the response nor its timing reveals which it is.
    """
    repository = _list_own(customer, namespace, name).first()
    if repository is None:
        return StoredResults()
    rows = PhaseExecution.objects.filter(repository=repository).order_by().values_list("phase", "data")
    scan = rows.filter(phase=PhaseExecution.Phase.SCAN, commit_sha=commit)
    # UNION of two index lookups: one query with OR reads all rows of the repository.
    of_issue = rows.filter(~Q(phase=PhaseExecution.Phase.SCAN), issue_number=issue)
    return StoredResults(**dict(scan.union(of_issue, all=True)))
