"""Pause and resume the reporting of one customer's usage to Stripe."""

from datetime import datetime

import structlog
from django.db import transaction

from billing.models import BillingAccount
from billing.services.metering.record_usage import lock_account
from core.queue.enqueue import enqueue_on_commit
from customers.models import Customer

log = structlog.get_logger(__name__)


@transaction.atomic
def pause_customer(*, customer: Customer, reason: str, at: datetime) -> BillingAccount:
    """Stop sending a customer's usage and corrections to Stripe; fixes are still recorded.

    Commits; makes no Stripe call. Safe to repeat: the first pause's time is kept.
    """
    account = lock_account(customer)
    account.paused_at, account.paused_reason = account.paused_at or at, reason[:300]
    account.save(update_fields=["paused_at", "paused_reason", "updated_at"])
    log.warning("customer_paused", customer=str(customer.pk), reason=reason)
    return account


@transaction.atomic
def resume_customer(*, customer: Customer, reason: str, at: datetime) -> BillingAccount:
    """Resume a customer's reports and enqueue a sweep that sends the backlog, each report once.

    Commits; makes no Stripe call itself. Safe to repeat.
    """
    account = lock_account(customer)
    account.paused_at, account.paused_reason = None, ""
    account.save(update_fields=["paused_at", "paused_reason", "updated_at"])
    log.warning("customer_resumed", customer=str(customer.pk), reason=reason, at=at)
    enqueue_on_commit("billing.tasks.sweep_billing")
    return account
