"""Read the ledger for reconciliation, many customers in one query."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, Q, When

from billing.models import UsageCorrection, UsageRecord


@dataclass(frozen=True)
class LedgerRow:
    """A metered fix and the status of its report, which is empty if it has none.

    `correction` is the status of its void's report, empty if it is not voided. `is_corrected` is true for a
    credit too.
    """

    status: str
    correction: str
    is_corrected: bool
    occurred_at: datetime
    meter_at: datetime | None
    earlier_meter_at: datetime | None
    first_sent_at: datetime | None
    reported_at: datetime | None
    corrected_at: datetime | None


def list_ledger(*, customer_ids: Collection[UUID], since: datetime) -> dict[UUID, list[LedgerRow]]:
    """List the customers' metered fixes, by customer id, that are unsent or metered at or after `since`."""
    unsent, sent = Q(report__meter_at=None), Q(report__meter_at__gte=since)
    in_span = unsent | sent | Q(report__earlier_meter_at__gte=since)
    rows = UsageRecord.objects.filter(
        in_span, customer_id__in=customer_ids, coverage=UsageRecord.Coverage.METERED
    ).order_by()
    found: dict[UUID, list[LedgerRow]] = defaultdict(list)
    void = Q(correction__kind=UsageCorrection.Kind.VOID)
    voided = Case(When(void, then="correction__report__status"), default=None)
    for customer_id, status, correction, correction_id, occurred_at, *times in rows.annotate(
        voided=voided
    ).values_list(
        "customer_id",
        "report__status",
        "voided",
        "correction__id",
        "occurred_at",
        "report__meter_at",
        "report__earlier_meter_at",
        "report__first_sent_at",
        "report__reported_at",
        "correction__report__done_at",
    ):
        found[customer_id].append(
            LedgerRow(status or "", correction or "", correction_id is not None, occurred_at, *times)
        )
    return found
