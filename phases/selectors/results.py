"""Results as they were stored, for the Action that asks for them again."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from customers.models import Customer, ForgeAccount
from customers.selectors import find_forge_account
from phases.models import PhaseExecution, Repository
from rsolv.errors import NotFound


@dataclass(frozen=True)
class StoredResults:
    """JSON texts as they were stored, None where there is none."""

    scan: str | None = None
    validation: str | None = None
    mitigation: str | None = None


def find_repository(*, account: ForgeAccount, name: str) -> Repository | None:
    return _list_named(name).filter(forge_account=account).first()


def find_own_repository(*, customer: Customer, namespace: str, name: str) -> Repository | None:
    """A repository that is known, with its namespace, which the customer holds. One query."""
    return (
        _list_named(name)
        .select_related("forge_account")
        .alias(namespace=Lower("forge_account__namespace"))
        .filter(
            namespace=namespace.lower(),
            forge_account__forge=ForgeAccount.Forge.GITHUB,
            forge_account__customer=customer,
            forge_account__released_at=None,
        )
        .first()
    )


def _list_named(name: str) -> QuerySet[Repository]:
    return Repository.objects.alias(key=Lower("name")).filter(key=name.lower())


def get_results(*, customer: Customer, namespace: str, name: str, issue: int, commit: str) -> StoredResults:
    """The scan of a commit and the latest validation and mitigation of an issue.

    Raises NotFound where another customer holds the namespace.
    """
    account = find_forge_account(forge=ForgeAccount.Forge.GITHUB, namespace=namespace)
    if account is None:
        return StoredResults()
    if account.customer_id != customer.pk:
        raise NotFound
    repository = find_repository(account=account, name=name)
    rows = PhaseExecution.objects.filter(repository=repository).order_by().values_list("phase", "data")
    scan = rows.filter(phase=PhaseExecution.Phase.SCAN, commit_sha=commit)
    # Two index look-ups; with OR in one query it is a walk over the repository's rows.
    of_issue = rows.filter(~Q(phase=PhaseExecution.Phase.SCAN), issue_number=issue)
    return StoredResults(**dict(scan.union(of_issue, all=True)))
