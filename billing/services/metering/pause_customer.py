"""Nothing is sent to Stripe for one customer, for a while."""

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
    """Keep the customer's usage and corrections here; fixes are recorded as ever. Repeating it is safe."""
    account = lock_account(customer)
    account.paused_at, account.paused_reason = account.paused_at or at, reason[:300]
    account.save(update_fields=["paused_at", "paused_reason", "updated_at"])
    log.warning("customer_paused", customer=str(customer.pk), reason=reason)
    return account


@transaction.atomic
def resume_customer(*, customer: Customer, reason: str, at: datetime) -> BillingAccount:
    """Send what has piled up, each once: a sweep hands it out. Repeating it is safe."""
    account = lock_account(customer)
    account.paused_at, account.paused_reason = None, ""
    account.save(update_fields=["paused_at", "paused_reason", "updated_at"])
    log.warning("customer_resumed", customer=str(customer.pk), reason=reason, at=at)
    enqueue_on_commit("billing.tasks.sweep_billing")
    return account
