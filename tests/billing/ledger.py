"""Create fixes in the ledger."""

from django.utils import timezone

from billing.models import UsageReport
from billing.services.metering.record_usage import record_usage
from billing.services.metering.report_usage import report_usage
from customers.models import Customer
from tests.factories import make_mitigation_of
from tests.outbox import make_due


def record_fixes(customer: Customer, count: int) -> list[UsageReport]:
    """Record fixes without running their tasks, so that the test can report them."""
    return [
        record_usage(
            customer=customer, execution=make_mitigation_of(customer), occurred_at=timezone.now()
        ).report
        for _ in range(count)
    ]


def report_fixes(customer: Customer, count: int) -> list[UsageReport]:
    """Record fixes and report them to Stripe."""
    reports = record_fixes(customer, count)
    for report in reports:
        report_usage(usage_id=report.pk)
        report.refresh_from_db()
    return reports


def send_due() -> None:
    """Report all pending usage now, regardless of its next attempt."""
    for usage_id in UsageReport.objects.filter(status="pending").values_list("pk", flat=True):
        make_due(UsageReport.objects.filter(pk=usage_id))
        report_usage(usage_id=usage_id)
