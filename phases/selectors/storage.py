"""How much a customer stores, and how much it may."""

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

# Of the limit, on top of it: for results of mitigations, which are money.
RESERVE_SHARE = 5


@dataclass(frozen=True)
class Storage:
    """In bytes. `reserve` is beyond the limit and for results of mitigations alone."""

    used: int
    limit: int

    @property
    def reserve(self) -> int:
        return self.limit // RESERVE_SHARE

    @property
    def is_full(self) -> bool:
        return self.used >= self.limit


class OctetLength(Func):
    """The length of a text in bytes of UTF-8."""

    function = "OCTET_LENGTH"
    output_field = BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """SQLite has OCTET_LENGTH from 3.43 on only."""
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
    """One query."""
    row = annotate_storage(Customer.objects.filter(pk=customer.pk), customer="pk").get()
    return read_storage(row)


def read_storage(row: Any) -> Storage:
    """From a row that `annotate_storage` was asked for."""
    return Storage(used=row.storage_used, limit=row.storage_limit)


def measure_storage(*, customer: Customer) -> int:
    """The bytes that the customer's results take, by the results themselves. Reads all of its rows."""
    rows = PhaseExecution.objects.filter(customer=customer).order_by()
    size = Sum(OctetLength("data") + StorageUse.ROW_BYTES, output_field=BigIntegerField())
    return rows.aggregate(size=size)["size"] or 0


def _find_limit() -> Any:
    """The customer's own limit, else its plan's, in bytes."""
    is_trial = When(billing_account__status__in=NOT_SUBSCRIBED, then=Value(settings.STORAGE_TRIAL_MB))
    has_none = When(billing_account__isnull=True, then=Value(settings.STORAGE_TRIAL_MB))
    of_plan = Case(is_trial, has_none, default=Value(settings.STORAGE_SUBSCRIBED_MB))
    in_mb = Coalesce(F("storage_use__limit_mb"), of_plan)
    return Cast(in_mb, BigIntegerField()) * Value(MB)  # more than an integer column holds
