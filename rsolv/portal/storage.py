"""How much an account stores, as a page shows it."""

from dataclasses import dataclass

from customers.models import Customer
from phases.selectors.storage import get_storage
from phases.sizes import MB, format_size


@dataclass(frozen=True)
class StorageView:
    """In words, and in whole MB for a meter."""

    used: str
    limit: str
    used_mb: int
    limit_mb: int
    is_full: bool


def show_storage(customer: Customer) -> StorageView:
    """One query."""
    storage = get_storage(customer=customer)
    return StorageView(
        used=format_size(storage.used),
        limit=format_size(storage.limit),
        used_mb=round(storage.used / MB),
        limit_mb=storage.limit // MB,
        is_full=storage.is_full,
    )
