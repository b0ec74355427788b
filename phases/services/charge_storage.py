"""Count the size of a result against the customer's storage limit. See docs/decisions/025."""

from django.conf import settings
from django.db.models import F

from core.errors import DomainError
from customers.models import Customer
from phases.metrics import REJECTED
from phases.models import PhaseExecution, StorageUse
from phases.selectors.storage import Storage, get_storage
from phases.sizes import format_size

# A mitigation's result of up to this size may use the reserve beyond the limit.
RESERVED_BYTES = 64 * 1024


class PhaseTooLarge(DomainError):
    """The data of a result exceeds the size limit of its phase."""

    code, status = "PAYLOAD_TOO_LARGE", 413

    def __init__(self, phase: str, limit: int) -> None:
        message = f"The data of a {phase} may have {format_size(limit)}. Send less, such as shorter outputs."
        super().__init__(message, fields={"data": message})


class StorageFull(DomainError):
    """The result does not fit into the customer's storage limit."""

    code, status = "STORAGE_LIMIT_EXCEEDED", 413

    def __init__(self, storage: Storage) -> None:
        super().__init__(
            f"This account stores {format_size(storage.used)} of the {format_size(storage.limit)} it may "
            f"store, and this result does not fit. Choose a plan with more, or write to support. "
            f"Results of mitigations up to {format_size(RESERVED_BYTES)} are still stored."
        )


def require_size(*, phase: str, size: int) -> None:
    """Raise PhaseTooLarge if `size` in bytes exceeds the limit of the phase."""
    limit = settings.PHASE_MAX_BYTES[phase]
    if size > limit:
        REJECTED.labels("phase_size").inc()
        raise PhaseTooLarge(phase, limit)


def find_bound(storage: Storage, phase: str, size: int) -> int:
    """Return the limit in bytes for a result of this phase and size, with the reserve where it may use it."""
    is_reserved = phase == PhaseExecution.Phase.MITIGATION and size <= RESERVED_BYTES
    return storage.limit + storage.reserve if is_reserved else storage.limit


def require_room(*, storage: Storage, bound: int, size: int) -> None:
    """Raise StorageFull if `size` more bytes exceed the bound.

    Call it before writing, so that a rejected result writes nothing. It takes no lock: `charge_storage` does.
    """
    if size > 0 and storage.used + size > bound:
        _reject(storage)


def charge_storage(*, customer: Customer, bound: int, size: int) -> None:
    """Add `size` bytes, which may be negative, in the transaction that stores them. Raises StorageFull.

    The row stays locked until the transaction ends: call it last. The UPDATE compares with the bound, so
    that concurrent requests cannot exceed it together. One query; three for a customer's first result.
    """
    # A negative size must not make the count negative, which the column rejects.
    fits = {"stored_bytes__lte": bound - size} if size > 0 else {"stored_bytes__gte": -size}
    rows = StorageUse.objects.filter(customer=customer, **fits)
    if size == 0 or rows.update(stored_bytes=F("stored_bytes") + size):
        return
    StorageUse.objects.bulk_create([StorageUse(customer=customer)], ignore_conflicts=True)
    # A count that is too low to shrink stays as it is: `recount_storage` corrects it.
    if not rows.update(stored_bytes=F("stored_bytes") + size) and size > 0:
        _reject(get_storage(customer=customer))


def _reject(storage: Storage) -> None:
    REJECTED.labels("storage").inc()
    raise StorageFull(storage)
