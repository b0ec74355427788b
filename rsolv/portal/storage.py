"""The storage of an account as the settings page shows it."""

from dataclasses import dataclass

from customers.models import Customer
from phases.selectors.storage import get_storage
from phases.sizes import MB, format_size


@dataclass(frozen=True)
class StorageView:
    """Storage in words, and in whole MB for a meter."""

    used: str
    limit: str
    used_mb: int
    limit_mb: int
    is_full: bool


def show_storage(customer: Customer) -> StorageView:
    """Return the customer's storage. One query."""
    storage = get_storage(customer=customer)
    return StorageView(
        used=format_size(storage.used),
        limit=format_size(storage.limit),
        used_mb=round(storage.used / MB),
        limit_mb=storage.limit // MB,
        is_full=storage.is_full,
    )
