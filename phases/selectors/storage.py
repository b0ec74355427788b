"""A customer's used storage and its limit."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import BigIntegerField, Case, F, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.db.models.expressions import Func
from django.db.models.functions import Cast, Coalesce

from customers.models import Customer
from customers.selectors import NOT_SUBSCRIBED
from phases.models import PhaseExecution, StorageUse
from phases.sizes import MB

# Divisor: a fifth of the limit is reserved beyond it for results of mitigations, because they are billed.
RESERVE_DIVISOR = 5


@dataclass(frozen=True)
class Storage:
    """Storage in bytes. `reserve` is beyond the limit, only for results of mitigations."""

    used: int
    limit: int

    @property
    def reserve(self) -> int:
        return self.limit // RESERVE_DIVISOR

    @property
    def is_full(self) -> bool:
        return self.used >= self.limit


class OctetLength(Func):
    """Length of a text in bytes of UTF-8."""

    function = "OCTET_LENGTH"
    output_field = BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """SQLite has OCTET_LENGTH only since 3.43."""
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **context)


def annotate_storage(rows: QuerySet[Any], *, customer: str) -> QuerySet[Any]:
    """Add `storage_used` and `storage_limit` in bytes; `customer` is the path to the customer's id."""
    of_customer = Customer.objects.filter(pk=OuterRef(customer))
    used = of_customer.values("storage_use__stored_bytes")
    limit = of_customer.annotate(allowed=_find_limit()).values("allowed")
    annotated: QuerySet[Any] = rows.annotate(
        storage_used=Coalesce(Subquery(used), Value(0), output_field=BigIntegerField()),
        storage_limit=Subquery(limit, output_field=BigIntegerField()),
    )
    return annotated


def get_storage(*, customer: Customer) -> Storage:
    """Return the customer's storage. One query."""
    row = annotate_storage(Customer.objects.filter(pk=customer.pk), customer="pk").get()
    return read_storage(row)


def read_storage(row: Any) -> Storage:
    """Read the storage from a row with the annotations of `annotate_storage`."""
    return Storage(used=row.storage_used, limit=row.storage_limit)


def measure_storage(*, customer: Customer) -> int:
    """Measure the stored results in bytes. Reads all of the customer's rows, unlike `get_storage`."""
    rows = PhaseExecution.objects.filter(customer=customer).order_by()
    size = Sum(OctetLength("data") + StorageUse.ROW_BYTES, output_field=BigIntegerField())
    return rows.aggregate(size=size)["size"] or 0


def _find_limit() -> Any:
    """Return an expression: the customer's own limit, or else that of its plan, in bytes."""
    is_trial = When(billing_account__status__in=NOT_SUBSCRIBED, then=Value(settings.STORAGE_TRIAL_MB))
    has_none = When(billing_account__isnull=True, then=Value(settings.STORAGE_TRIAL_MB))
    of_plan = Case(is_trial, has_none, default=Value(settings.STORAGE_SUBSCRIBED_MB))
    in_mb = Coalesce(F("storage_use__limit_mb"), of_plan)
    return Cast(in_mb, BigIntegerField()) * Value(MB)  # the product exceeds a 32-bit integer
