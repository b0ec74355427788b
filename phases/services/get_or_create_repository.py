"""Create a repository on its first use, and claim its namespace."""

from django.conf import settings
from django.db import IntegrityError, transaction

from core.errors import DomainError
from customers.models import Customer
from customers.selectors import is_subscribed
from customers.services.claim_namespace import claim_namespace
from customers.services.namespace_claims import KeyOrigin
from phases.models import Repository
from phases.selectors.results import count_repositories, find_own_repository, find_repository


class TooManyRepositories(DomainError):
    """The customer has reached its maximum number of repositories."""

    code, status = "FORBIDDEN", 403

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This account has {limit} repositories and may have no more. Choose a plan, or write to support."
        )


def get_or_create_repository(
    *, customer: Customer, namespace: str, name: str, origin: KeyOrigin | None = None
) -> Repository:
    """Return the customer's repository; create it and claim its namespace on first use.

    Safe to call concurrently. One query for an existing repository.

    Raises TooManyRepositories, customers.services.NamespaceHeld and TooManyNamespaces.
    """
    repository = find_own_repository(customer=customer, namespace=namespace, name=name)
    if repository is None:
        _create(customer, namespace, name, origin)
        repository = find_own_repository(customer=customer, namespace=namespace, name=name)
    assert repository is not None
    return repository


@transaction.atomic
def _create(customer: Customer, namespace: str, name: str, origin: KeyOrigin | None) -> None:
    account = claim_namespace(customer=customer, namespace=namespace, origin=origin)
    if find_repository(account=account, name=name) is not None:
        return
    _require_room(customer)
    try:
        with transaction.atomic():
            Repository.objects.create(forge_account=account, name=name)
    except IntegrityError:
        return  # a concurrent request has created it


def _require_room(customer: Customer) -> None:
    """Raise TooManyRepositories at the limit. Without a lock: concurrent requests may exceed it a little."""
    is_paying = is_subscribed(customer=customer)
    limit = settings.REPOSITORIES_SUBSCRIBED if is_paying else settings.REPOSITORIES_TRIAL
    if count_repositories(customer=customer) >= limit:
        raise TooManyRepositories(limit)
