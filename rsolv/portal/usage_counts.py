"""Numbers of fixes by day or month, by repository and by severity."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate, TruncMonth

from billing.models import UsageCorrection, UsageRecord
from customers.models import Customer

Step = Literal["day", "month"]
REPOSITORIES_SHOWN = 6
SEVERITIES = ("critical", "high", "medium", "low", "")


@dataclass(frozen=True)
class Series:
    """Numbers of fixes of one repository or severity, one number per day or month."""

    key: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True)
class Counts:
    """Numbers of fixes. `buckets` are days or months in order; each series has one number per bucket."""

    buckets: tuple[date, ...]
    by_severity: tuple[Series, ...]
    by_repository: tuple[Series, ...]

    @property
    def totals(self) -> tuple[int, ...]:
        return tuple(sum(series.counts[i] for series in self.by_severity) for i in range(len(self.buckets)))

    @property
    def total(self) -> int:
        return sum(self.totals)


def list_usage(*, customer: Customer, since: datetime, until: datetime) -> QuerySet[UsageRecord]:
    """List the ledger's fixes in `since <= t < until` by time, without those that staff voided."""
    rows = UsageRecord.objects.filter(customer=customer, occurred_at__gte=since, occurred_at__lt=until)
    return rows.exclude(correction__kind=UsageCorrection.Kind.VOID).order_by("occurred_at", "pk")


def count_usage(
    *, customer: Customer, since: datetime, until: datetime, buckets: list[date], step: Step
) -> Counts:
    """Count fixes in two queries. The repositories with most fixes have a series each, the rest share one."""
    # The fields of an ordering would become part of GROUP BY.
    rows = list_usage(customer=customer, since=since, until=until).order_by()
    bucket: Any = TruncDate("occurred_at") if step == "day" else TruncMonth("occurred_at")
    rows = rows.annotate(bucket=bucket)
    severities = _sum_up(rows, "execution__severity", buckets)
    repositories = _sum_up(rows, ("repository__forge_account__namespace", "repository__name"), buckets)
    return Counts(
        buckets=tuple(buckets),
        by_severity=tuple(Series(key, tuple(severities[key])) for key in SEVERITIES if key in severities),
        by_repository=tuple(_fold(repositories)),
    )


def _sum_up(rows: QuerySet[Any], fields: str | tuple[str, ...], buckets: list[date]) -> dict[str, list[int]]:
    names = (fields,) if isinstance(fields, str) else fields
    places = {bucket: index for index, bucket in enumerate(buckets)}
    found: dict[str, list[int]] = {}
    for at, *parts, count in rows.values_list("bucket", *names).annotate(count=Count("pk")):
        counts = found.setdefault("/".join(parts), [0] * len(buckets))
        # TruncMonth of a datetime is a datetime, TruncDate a date.
        counts[places[at.date() if isinstance(at, datetime) else at]] += count
    return found


def _fold(found: dict[str, list[int]]) -> Iterator[Series]:
    ranked = sorted(found.items(), key=lambda item: (-sum(item[1]), item[0]))
    for key, counts in ranked[:REPOSITORIES_SHOWN]:
        yield Series(key, tuple(counts))
    if rest := ranked[REPOSITORIES_SHOWN:]:
        yield Series("", tuple(map(sum, zip(*(counts for _, counts in rest), strict=True))))
