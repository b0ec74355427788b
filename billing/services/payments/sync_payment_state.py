"""Sync failed and recovered payments from Stripe, and notify customers, up to the block after the grace."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from djstripe.models import Invoice

from billing.models import BillingAccount, Notification
from billing.plans import CURRENCY
from billing.services.notifications.notify_customer import notify_customer
from billing.services.subscriptions.end_second_subscriptions import end_second_subscriptions
from billing.services.subscriptions.refresh_account import find_status, refresh_account
from billing.stripe_gateway.invoices import OpenInvoice, sync_open_invoices
from billing.stripe_gateway.mirrored import has_status, is_failed, list_invoices

log = structlog.get_logger(__name__)

Kind, Status = Notification.Kind, BillingAccount.Status
UNPAID = (Status.PAST_DUE, Status.UNPAID)


def sync_payment_state(*, stripe_customer_id: str, at: datetime) -> None:
    """Derive the account once from its mirrored subscriptions, and notify the customer about payments.

    Ends a second subscription first. If a payment may have failed, syncs the open invoices from Stripe. The
    customer is notified once of each failed invoice and once when it is paid. Call inside
    `lock_stripe_customer`; calls Stripe; safe to repeat and in any order.
    Raises StripeUnavailable, StripeRejected.
    """
    accounts = BillingAccount.objects.filter(stripe_customer_id=stripe_customer_id)
    account = accounts.select_related("customer").first()
    if account is None:
        return
    end_second_subscriptions(stripe_customer_id=stripe_customer_id, at=at)
    if not _may_owe(account, stripe_customer_id):
        refresh_account(stripe_customer_id=stripe_customer_id)
        return
    failed = sync_open_invoices(stripe_customer_id=stripe_customer_id)
    refresh_account(stripe_customer_id=stripe_customer_id)
    account.refresh_from_db()
    _notify(account, failed, at)


def _may_owe(account: BillingAccount, stripe_customer_id: str) -> bool:
    """Whether an invoice may be open, or a failed one that the customer was notified of may be paid by now.

    Spares most webhooks two Stripe calls.
    """
    status = find_status(stripe_customer_id=stripe_customer_id) or account.status
    return status in UNPAID or _list_unresolved(account).exists() or _list_failed(account).exists()


def block_overdue(*, at: datetime) -> int:
    """Notify customers whose grace period has ended or whose payment Stripe has given up; return how many.

    Sends one notification per overdue payment, for up to 1000 accounts per call. Commits per account; safe to
    repeat. The block itself needs no write: it follows from the account's row and the clock.
    """
    notified = Notification.objects.filter(
        customer=OuterRef("customer_id"), kind=Kind.BLOCKED, created_at__gte=OuterRef("past_due_since")
    )
    over = Q(past_due_since__lte=at - timedelta(days=settings.BILLING_GRACE_DAYS))
    overdue = BillingAccount.objects.filter(
        Q(status=Status.PAST_DUE) & over | Q(status=Status.UNPAID, past_due_since__isnull=False)
    )
    count = 0
    # The rest follows in the next sweep.
    for account in overdue.filter(~Exists(notified)).select_related("customer").order_by("pk")[:1000]:
        count += _block(account, at)
    return count


@transaction.atomic
def _block(account: BillingAccount, at: datetime) -> bool:
    invoice = next(iter(list_invoices(_list_failed(account).order_by("created")[:1])), None)
    was_new = notify_customer(
        customer=account.customer,
        kind=Kind.BLOCKED,
        reference=invoice.invoice_id if invoice else f"since {account.past_due_since:%Y-%m-%d}",
        data={
            "amount_cents": invoice.remaining_cents if invoice else None,
            "currency": invoice.currency if invoice else CURRENCY,
            "invoice": invoice.number if invoice else "",
            "page_url": invoice.page_url if invoice else "",
        },
        at=at,
    )
    if was_new:
        log.warning("customer_blocked", customer=str(account.pk), past_due_since=str(account.past_due_since))
    return was_new


@transaction.atomic
def _notify(account: BillingAccount, failed: list[OpenInvoice], at: datetime) -> None:
    for open_invoice in failed:
        notify_customer(
            customer=account.customer,
            kind=Kind.ACTION_REQUIRED if open_invoice.needs_person else Kind.PAYMENT_FAILED,
            reference=open_invoice.id,
            data=_describe(account, open_invoice),
            at=at,
        )
    # The mail says that nothing is left to do, which would be wrong while another invoice is unpaid.
    if account.status != Status.ACTIVE:
        return
    paid = Invoice.objects.filter(
        has_status("paid"), id__in=_list_unresolved(account).values_list("reference", flat=True)
    )
    for invoice in list_invoices(paid):
        notify_customer(
            customer=account.customer,
            kind=Kind.RECOVERED,
            reference=invoice.invoice_id,
            data={
                "amount_cents": invoice.paid_cents,
                "currency": invoice.currency,
                "invoice": invoice.number,
            },
            at=at,
        )


def _describe(account: BillingAccount, invoice: OpenInvoice) -> dict[str, Any]:
    ends_at = account.grace_ends_at
    return {
        "amount_cents": invoice.amount_cents,
        "currency": invoice.currency,
        "invoice": invoice.number,
        "page_url": invoice.page_url,
        **({} if ends_at is None else {"grace_ends_at": ends_at.isoformat()}),
    }


def _list_unresolved(account: BillingAccount) -> Any:
    """List the notifications of failed payments that no notification of the recovery has followed."""
    recovered = Notification.objects.filter(
        customer=OuterRef("customer"), kind=Kind.RECOVERED, reference=OuterRef("reference")
    )
    kinds = (Kind.PAYMENT_FAILED, Kind.ACTION_REQUIRED)
    return Notification.objects.filter(~Exists(recovered), customer_id=account.pk, kind__in=kinds)


def _list_failed(account: BillingAccount) -> Any:
    """List the mirrored open invoices with a payment attempt, including those of subscriptions that ended."""
    return Invoice.objects.filter(is_failed(), customer__id=account.stripe_customer_id)
