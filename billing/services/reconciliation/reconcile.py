"""Ledger, Stripe and portal are held against each other, customer by customer."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from billing.models import BillingAccount, Discrepancy, Reconciliation
from billing.selectors.entitlements import get_account, get_entitlement
from billing.selectors.ledger import LedgerRow, list_ledger
from billing.services.metering.inquire_usage import INVOICES_BACK, LOOKS_BACK, Inquiry, inquire_usage
from billing.services.metering.repair_usage import repair_missing
from billing.services.reconciliation.compare_account import RunningSubscriptions, group_subscriptions
from billing.services.reconciliation.compare_invoices import (
    Billed,
    compare_invoices,
    find_unbilled,
    list_billed,
)
from billing.services.reconciliation.compare_usage import Finding, compare_meter, count_bounds, count_shown
from billing.services.reconciliation.record_discrepancies import record_discrepancies
from billing.stripe_gateway.audits import list_subscriptions, sync_invoices
from billing.stripe_gateway.meter import find_meter_id
from customers.models import Customer

log = structlog.get_logger(__name__)

BATCH = 200
# An invoice is a draft for an hour after its period; twice that again until its news is here.
FINAL_AFTER = timedelta(hours=3)
Kind = Discrepancy.Kind


def reconcile(*, at: datetime, customer: Customer | None = None) -> Reconciliation:
    """Compare every account that Stripe knows, or one customer's; repair what is safe; list the rest.

    Per customer the current period and the one before, also of a subscription that has ended: the ledger,
    the meter's sums, what the portal shows, the invoices, and the account beside its subscription. Reports
    younger than Stripe's sums lag are no difference. A customer about whom Stripe does not answer is counted
    and passed over. Calls out, several calls at a time; repeating it is safe. Raises StripeUnavailable where
    Stripe lists no subscriptions.
    Source: docs/decisions/008-reconciliation-and-retention.md.
    """
    run = Reconciliation.objects.create(started_at=at)
    running = _list_running(customer)
    with ThreadPoolExecutor(max_workers=settings.RECONCILE_CALLS) as pool:
        for batch in _list_batches(_list_accounts(customer, at)):
            asked = [_ask(each, running.get(each.stripe_customer_id or ""), pool, run, at) for each in batch]
            answered = _compare_batch([each for each in asked if each is not None], run, at)
            run.accounts += len(batch)
            run.save(update_fields=["accounts", "unasked"])
            if not answered and len(batch) > 1:
                log.error("reconciliation_broken_off", run=str(run.pk))
                return run
    run.finished_at = timezone.now()
    run.save()
    log.info("reconciled", run=str(run.pk), accounts=run.accounts, unasked=run.unasked)
    return run


def _list_running(customer: Customer | None) -> dict[str, RunningSubscriptions]:
    find_meter_id()
    if customer is None:
        return group_subscriptions(list_subscriptions())
    stripe_customer_id = get_account(customer=customer).stripe_customer_id
    if stripe_customer_id is None:
        return {}
    return group_subscriptions(list_subscriptions(stripe_customer_id=stripe_customer_id))


def _list_accounts(customer: Customer | None, at: datetime) -> QuerySet[BillingAccount]:
    ended_long_ago = Q(status=BillingAccount.Status.CANCELED, current_period_end__lt=at - LOOKS_BACK)
    accounts = BillingAccount.objects.exclude(stripe_customer=None).exclude(ended_long_ago)
    return accounts if customer is None else accounts.filter(customer=customer)


def _list_batches(accounts: QuerySet[BillingAccount]) -> Iterator[list[BillingAccount]]:
    """By key, each batch read when its turn comes: a run takes minutes."""
    ordered = accounts.order_by("pk").select_related("customer")
    batch = list(ordered[:BATCH])
    while batch:
        yield batch
        batch = list(ordered.filter(pk__gt=batch[-1].pk)[:BATCH])


def _ask(
    account: BillingAccount,
    running: RunningSubscriptions | None,
    pool: ThreadPoolExecutor,
    run: Reconciliation,
    at: datetime,
) -> Inquiry | None:
    try:
        return inquire_usage(account, running, pool=pool, at=at)
    except Exception as error:
        _pass_over(account, run, error)
        return None


def _compare_batch(inquiries: list[Inquiry], run: Reconciliation, at: datetime) -> int:
    """Compare a batch while Stripe answers; how many customers it answered about."""
    for inquiry in inquiries:
        inquiry.used = get_entitlement(customer=inquiry.account.customer).used
    answered = [each for each in inquiries if _has_answers(each, run)]
    # Read after Stripe has answered: what it counted meanwhile is known to us by then.
    ids = [each.account.pk for each in answered]
    since = at - LOOKS_BACK
    ledger = list_ledger(customer_ids=ids, since=since)
    billed = list_billed(ids, since=at - INVOICES_BACK)
    standing = set(
        Discrepancy.objects.filter(customer_id__in=ids, state=Discrepancy.State.OPEN).values_list(
            "customer_id", flat=True
        )
    )
    for inquiry in answered:
        try:
            customer_id = inquiry.account.pk
            _compare(inquiry, ledger[customer_id], billed[customer_id], at)
            if inquiry.findings or customer_id in standing:
                _note(inquiry, run, at)
        except Exception as error:
            _pass_over(inquiry.account, run, error)
    return len(answered)


def _has_answers(inquiry: Inquiry, run: Reconciliation) -> bool:
    errors = [error for future in inquiry.held.values() if (error := future.exception()) is not None]
    if errors:
        _pass_over(inquiry.account, run, errors[0])
    return not errors


def _pass_over(account: BillingAccount, run: Reconciliation, error: BaseException) -> None:
    """One customer's failure is logged and counted; the rest go on."""
    run.unasked += 1
    log.error(
        "reconciliation_passed_over", customer=str(account.pk), error=f"{type(error).__name__}: {error}"
    )


def _compare(inquiry: Inquiry, rows: list[LedgerRow], billed: Billed, at: datetime) -> None:
    account = inquiry.account
    for span, future in inquiry.held.items():
        is_current = span == inquiry.current
        bounds = count_bounds(rows, span, at=at)
        invoiced = sum(billed.get(each, 0) for each in billed if span.start <= each[0] < span.end)
        finding = compare_meter(
            bounds, held=future.result(), portal=inquiry.used if is_current else invoiced, span=span
        )
        if finding is not None:
            if inquiry.ended is not None and not is_current:
                finding.detail = "Its subscription has ended."
            elif finding.kind == Kind.MISSING_AT_STRIPE and (is_current or invoiced <= finding.stripe):
                repair_missing(finding, account=account, rows=rows, at=at)
            inquiry.findings.append(finding)
    inquiry.findings += _compare_portal(inquiry, rows)
    inquiry.findings += _compare_invoices(inquiry, rows, billed, at)
    if inquiry.gap is not None:
        inquiry.findings += find_unbilled(rows, billed, gap=inquiry.gap)


def _compare_portal(inquiry: Inquiry, rows: list[LedgerRow]) -> list[Finding]:
    """What the portal shows beside the ledger's own rows, both read anew before a difference is believed."""
    account, span = inquiry.account, inquiry.current
    if span is None or count_shown(rows, account) == inquiry.used:
        return []
    fresh = list_ledger(customer_ids=[account.pk], since=span.start)[account.pk]
    shown, used = count_shown(fresh, account), get_entitlement(customer=account.customer).used
    return [] if shown == used else [Finding(Kind.PORTAL, span, ledger=shown, stripe=shown, portal=used)]


def _compare_invoices(inquiry: Inquiry, rows: list[LedgerRow], billed: Billed, at: datetime) -> list[Finding]:
    """Invoices beside the ledger; where the mirror differs, Stripe is read before it is believed."""
    account = inquiry.account
    closed = inquiry.ended.span if inquiry.ended else inquiry.closed
    is_final = closed is not None and closed.end + FINAL_AFTER <= at
    findings = compare_invoices(rows, billed, closed=closed, is_closed_final=is_final)
    ended_id = inquiry.ended.subscription_id if inquiry.ended else None
    subscription_ids = {each for each in (account.subscription_id, ended_id) if each}
    if not findings or not subscription_ids:
        return findings
    since = at - INVOICES_BACK
    for subscription_id in subscription_ids:
        sync_invoices(subscription_id=subscription_id, since=since)
    renewed = list_billed([account.pk], since=since)[account.pk]
    left = compare_invoices(rows, renewed, closed=closed, is_closed_final=is_final)
    remaining = {finding.span for finding in left}
    for finding in findings:
        if finding.span not in remaining:
            finding.state, finding.detail = Discrepancy.State.REPAIRED, "The invoice was read anew."
    return left + [finding for finding in findings if finding.span not in remaining]


def _note(inquiry: Inquiry, run: Reconciliation, at: datetime) -> None:
    earliest = min((span.start for span in inquiry.spans), default=at)
    since, gap = at - INVOICES_BACK, inquiry.gap

    def was_looked_at(row: Discrepancy) -> bool:
        if row.kind == Kind.STALE_ACCOUNT:
            return True
        if row.kind == Kind.UNBILLED:
            return gap is not None and row.period_start == gap.start
        is_listed = row.kind != Kind.INVOICE or row.period_end >= since
        return is_listed and row.period_start >= earliest

    record_discrepancies(
        run=run, account=inquiry.account, findings=inquiry.findings, was_looked_at=was_looked_at, at=at
    )
