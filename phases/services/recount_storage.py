"""Correct the counted storage of customers from their stored results."""

from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from django.db import transaction

from customers.models import Customer
from phases.models import StorageUse
from phases.selectors.storage import measure_storage

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Recount:
    """Storage of a customer in bytes: `counted` before, and `found` in its results."""

    customer: Customer
    counted: int
    found: int

    @property
    def has_drifted(self) -> bool:
        return self.counted != self.found


@transaction.atomic
def recount_storage(*, customer: Customer) -> Recount:
    """Set a customer's count to the size of its results. Blocks its stores meanwhile. Safe to repeat.

    Exact with concurrent stores: they change the count last, so that none is half counted while it is locked.
    """
    StorageUse.objects.bulk_create([StorageUse(customer=customer)], ignore_conflicts=True)
    use = StorageUse.objects.select_for_update().get(customer=customer)
    recount = Recount(customer=customer, counted=use.stored_bytes, found=measure_storage(customer=customer))
    if recount.has_drifted:
        log.warning(
            "storage_recounted", customer=str(customer.pk), counted=recount.counted, found=recount.found
        )
        use.stored_bytes = recount.found
        use.save(update_fields=["stored_bytes"])
    return recount


def recount_all_storage() -> Iterator[Recount]:
    """Recount every customer, each in its own transaction."""
    for customer in Customer.objects.order_by("pk").iterator(500):
        yield recount_storage(customer=customer)
