"""Reconcile the ledger, Stripe and the portal, customer by customer."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from billing.models import BillingAccount, Discrepancy, Reconciliation
from billing.selectors.billed_lines import is_being_invoiced
from billing.selectors.entitlements import get_account, get_entitlement
from billing.selectors.ledger import LedgerRow, list_ledger
from billing.services.metering.repair_usage import repair_missing
from billing.services.reconciliation.compare_account import RunningSubscriptions, group_subscriptions
from billing.services.reconciliation.compare_invoices import (
    Billed,
    compare_invoices,
    find_unbilled_fixes,
    list_billed_fixes,
)
from billing.services.reconciliation.compare_usage import (
    Finding,
    Span,
    compare_meter,
    count_bounds,
    count_portal_fixes,
)
from billing.services.reconciliation.query_account import (
    INVOICE_LOOKBACK,
    LOOKBACK,
    AccountQuery,
    query_account,
)
from billing.services.reconciliation.record_discrepancies import record_discrepancies
from billing.stripe_gateway.audits import list_subscriptions, sync_invoices
from billing.stripe_gateway.meter import find_meter_id
from customers.models import Customer

log = structlog.get_logger(__name__)

BATCH = 200
# Stripe keeps an invoice a draft for an hour after its period; two more hours allow for late webhooks. While
# our endpoint does not answer, Stripe keeps it one for up to 72 hours, and it is not compared.
FINAL_AFTER = timedelta(hours=3)
Kind = Discrepancy.Kind


def reconcile(*, at: datetime, customer: Customer | None = None) -> Reconciliation:
    """Compare every account with a Stripe customer, or one customer's; repair what is safe; record the rest.

    For each customer, compares the ledger, the meter's summaries, the portal, the invoices, and the account
    with its subscription, in the current and the previous period, also after the subscription has ended.
    Usage that Stripe may not have aggregated yet is not reported as a difference. A customer whose calls fail
    is counted in `unanswered` and skipped. A run that gets no answers about a whole batch stops without
    `finished_at`. Commits per batch and customer; calls Stripe in RECONCILE_CALLS threads; safe to repeat.
    Raises StripeUnavailable or StripeRejected if Stripe does not list the meter or the subscriptions.
    Source: docs/decisions/008-reconciliation-and-retention.md.
    """
    run = Reconciliation.objects.create(started_at=at)
    running = _list_running(customer)
    with ThreadPoolExecutor(max_workers=settings.RECONCILE_CALLS) as pool:
        for batch in _list_batches(_list_accounts(customer, at)):
            queries = [
                _query(each, running.get(each.stripe_customer_id or ""), pool, run, at) for each in batch
            ]
            answered = _compare_batch([each for each in queries if each is not None], run, at)
            run.accounts += len(batch)
            run.save(update_fields=["accounts", "unanswered"])
            # One customer without an answer is no sign of an outage.
            if not answered and len(batch) > 1:
                log.error("reconciliation_aborted", run=str(run.pk))
                return run
    run.finished_at = timezone.now()
    run.save()
    log.info("reconciled", run=str(run.pk), accounts=run.accounts, unanswered=run.unanswered)
    return run


def _list_running(customer: Customer | None) -> dict[str, RunningSubscriptions]:
    find_meter_id()  # fills its cache before the threads start, and fails early
    if customer is None:
        return group_subscriptions(list_subscriptions())
    stripe_customer_id = get_account(customer=customer).stripe_customer_id
    if stripe_customer_id is None:
        return {}
    return group_subscriptions(list_subscriptions(stripe_customer_id=stripe_customer_id))


def _list_accounts(customer: Customer | None, at: datetime) -> QuerySet[BillingAccount]:
    ended_long_ago = Q(status=BillingAccount.Status.CANCELED, current_period_end__lt=at - LOOKBACK)
    accounts = BillingAccount.objects.exclude(stripe_customer=None).exclude(ended_long_ago)
    return accounts if customer is None else accounts.filter(customer=customer)


def _list_batches(accounts: QuerySet[BillingAccount]) -> Iterator[list[BillingAccount]]:
    """Yield accounts by primary key, reading each batch only when it is needed: a run takes minutes."""
    ordered = accounts.order_by("pk").select_related("customer")
    batch = list(ordered[:BATCH])
    while batch:
        yield batch
        batch = list(ordered.filter(pk__gt=batch[-1].pk)[:BATCH])


def _query(
    account: BillingAccount,
    running: RunningSubscriptions | None,
    pool: ThreadPoolExecutor,
    run: Reconciliation,
    at: datetime,
) -> AccountQuery | None:
    try:
        return query_account(account, running, pool=pool, at=at)
    except Exception as error:
        _skip(account, run, error)
        return None


def _compare_batch(queries: list[AccountQuery], run: Reconciliation, at: datetime) -> int:
    """Compare a batch and return how many of its customers Stripe answered about."""
    for query in queries:
        query.used = get_entitlement(customer=query.account.customer).used
    answered = [each for each in queries if _has_answers(each, run)]
    # Read the ledger after Stripe has answered: a fix is committed before it is sent, so every fix that the
    # meter holds is in the rows.
    ids = [each.account.pk for each in answered]
    since = at - LOOKBACK
    ledger = list_ledger(customer_ids=ids, since=since)
    billed = list_billed_fixes(ids, since=at - INVOICE_LOOKBACK)
    with_open = set(
        Discrepancy.objects.filter(customer_id__in=ids, state=Discrepancy.State.OPEN).values_list(
            "customer_id", flat=True
        )
    )
    for query in answered:
        try:
            customer_id = query.account.pk
            _compare(query, ledger[customer_id], billed[customer_id], at)
            # Without findings, a customer's open rows are still compared, to resolve those that are gone.
            if query.findings or customer_id in with_open:
                _record(query, run, at)
        except Exception as error:
            _skip(query.account, run, error)
    return len(answered)


def _has_answers(query: AccountQuery, run: Reconciliation) -> bool:
    errors = [error for future in query.held.values() if (error := future.exception()) is not None]
    if errors:
        _skip(query.account, run, errors[0])
    return not errors


def _skip(account: BillingAccount, run: Reconciliation, error: BaseException) -> None:
    """Count and log one customer's failure; the run continues."""
    run.unanswered += 1
    log.error(
        "reconciliation_skipped_customer", customer=str(account.pk), error=f"{type(error).__name__}: {error}"
    )


def _compare(query: AccountQuery, rows: list[LedgerRow], billed: Billed, at: datetime) -> None:
    account = query.account
    for span, future in query.held.items():
        is_current = span == query.current
        bounds = count_bounds(rows, span, at=at)
        invoiced = sum(billed.get(each, 0) for each in billed if span.start <= each[0] < span.end)
        finding = compare_meter(
            bounds, held=future.result(), portal=query.used if is_current else invoiced, span=span
        )
        if finding is not None:
            if query.ended is not None and not is_current:
                finding.detail = "Its subscription has ended."
            # Not if the invoice charges for what the meter lacks: a resend would be billed twice.
            elif finding.kind == Kind.MISSING_AT_STRIPE and (is_current or invoiced <= finding.stripe):
                repair_missing(finding, account=account, rows=rows, at=at)
            query.findings.append(finding)
    query.findings += _compare_portal(query, rows)
    query.findings += _compare_invoices(query, rows, billed, at)
    if query.gap is not None:
        query.findings += find_unbilled_fixes(rows, billed, gap=query.gap)


def _compare_portal(query: AccountQuery, rows: list[LedgerRow]) -> list[Finding]:
    """Compare the portal's count with the ledger; on a difference, read both again before reporting it.

    The two were read at different times, so a fix may have been recorded in between.
    """
    account, span = query.account, query.current
    if span is None or count_portal_fixes(rows, account) == query.used:
        return []
    fresh = list_ledger(customer_ids=[account.pk], since=span.start)[account.pk]
    shown, used = count_portal_fixes(fresh, account), get_entitlement(customer=account.customer).used
    return [] if shown == used else [Finding(Kind.PORTAL, span, ledger=shown, stripe=shown, portal=used)]


def _compare_invoices(
    query: AccountQuery, rows: list[LedgerRow], billed: Billed, at: datetime
) -> list[Finding]:
    """Compare mirrored invoices with the ledger; on a difference, sync them from Stripe and compare again."""
    account = query.account
    closed = query.ended.span if query.ended else query.closed
    is_over = closed is not None and closed.end + FINAL_AFTER <= at

    def compare(known: Billed) -> list[Finding]:
        found = compare_invoices(rows, known, closed=closed, is_closed_final=is_over)
        if not found or not _has_draft(account, closed):
            return found
        return compare_invoices(rows, known, closed=closed, is_closed_final=False)

    findings = compare(billed)
    ended_id = query.ended.subscription_id if query.ended else None
    subscription_ids = {each for each in (account.subscription_id, ended_id) if each}
    if not findings or not subscription_ids:
        return findings
    since = at - INVOICE_LOOKBACK
    for subscription_id in subscription_ids:
        sync_invoices(subscription_id=subscription_id, since=since)
    synced = list_billed_fixes([account.pk], since=since)[account.pk]
    left = compare(synced)
    remaining = {finding.span for finding in left}
    for finding in findings:
        if finding.span not in remaining:
            finding.state, finding.detail = Discrepancy.State.REPAIRED, "The invoice was synced again."
    return left + [finding for finding in findings if finding.span not in remaining]


def _has_draft(account: BillingAccount, closed: Span | None) -> bool:
    """Whether the mirrored invoice of a closed period is still a draft."""
    return closed is not None and is_being_invoiced(
        customer_id=account.pk, meter_at=closed.end - timedelta(seconds=1)
    )


def _record(query: AccountQuery, run: Reconciliation, at: datetime) -> None:
    earliest = min((span.start for span in query.spans), default=at)
    since, gap = at - INVOICE_LOOKBACK, query.gap

    # What this run did not look at must stay open.
    def was_compared(row: Discrepancy) -> bool:
        if row.kind == Kind.STALE_ACCOUNT:
            return True
        if row.kind == Kind.UNBILLED:
            return gap is not None and row.period_start == gap.start
        is_listed = row.kind != Kind.INVOICE or row.period_end >= since
        return is_listed and row.period_start >= earliest

    record_discrepancies(
        run=run, account=query.account, findings=query.findings, was_compared=was_compared, at=at
    )
