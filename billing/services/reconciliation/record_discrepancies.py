"""Record the findings of a reconciliation as rows for staff."""

from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import transaction

from billing.metrics import RECONCILIATION_DIFFERENCES
from billing.models import BillingAccount, Discrepancy, Reconciliation
from billing.services.reconciliation.compare_usage import Finding

log = structlog.get_logger(__name__)

State = Discrepancy.State


@transaction.atomic
def record_discrepancies(
    *,
    run: Reconciliation,
    account: BillingAccount,
    findings: list[Finding],
    was_compared: Callable[[Discrepancy], bool],
    at: datetime,
) -> None:
    """Record the findings, and resolve open discrepancies that were compared again and are gone.

    A finding updates the open row of the same kind and period if there is one. Commits; safe to repeat. The
    account's row lock serializes runs, which would otherwise violate the constraint of one open row.
    """
    BillingAccount.objects.select_for_update(of=("self",)).get(pk=account.pk)
    still_open = Discrepancy.objects.filter(customer_id=account.pk, state=State.OPEN)
    known = {(row.kind, row.period_start): row for row in still_open}
    for finding in findings:
        row = known.pop((str(finding.kind), finding.span.start), None)
        row = row or Discrepancy(customer_id=account.pk, kind=finding.kind, found_at=at)
        _save(row, finding, run, at)
    gone = [row.pk for row in known.values() if was_compared(row)]
    Discrepancy.objects.filter(pk__in=gone).update(state=State.RESOLVED, settled_at=at)


def _save(row: Discrepancy, finding: Finding, run: Reconciliation, at: datetime) -> None:
    row.found_in, row.state, row.detail = run, finding.state, finding.detail
    row.period_start, row.period_end = finding.span.start, finding.span.end
    row.ledger, row.stripe, row.portal = finding.ledger, finding.stripe, finding.portal
    row.settled_at = None if finding.state == State.OPEN else at
    row.save()
    transaction.on_commit(RECONCILIATION_DIFFERENCES.labels(str(finding.kind)).inc)
    log.warning(
        "reconciliation_difference",
        customer=str(row.customer_id),
        kind=str(finding.kind),
        state=str(finding.state),
        ledger=finding.ledger,
        stripe=finding.stripe,
        portal=finding.portal,
    )
