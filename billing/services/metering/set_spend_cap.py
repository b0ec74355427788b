"""Set a customer's spend cap for each billing period."""

from datetime import datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext_noop

from billing.models import BillingAccount
from billing.services.metering.record_usage import lock_account
from billing.services.subscriptions.record_plan_change import Author
from core.errors import DomainError
from core.formats import format_cents
from customers.models import AuditLogEntry, Customer
from customers.services.record_audit_log_entry import record_audit_log_entry

log = structlog.get_logger(__name__)

LARGEST_CAP_CENTS = 100_000_000


class InvalidSpendCap(DomainError):
    code, status = "VALIDATION_ERROR", 422
    message = gettext_noop("Set a spend cap between $0 and $1,000,000, or remove it.")


@transaction.atomic
def set_spend_cap(
    *, customer: Customer, cap_cents: int | None, at: datetime, by: Author | None = None
) -> BillingAccount:
    """Limit the total cost of each period, monthly price included; None removes the limit.

    `cap_cents` is in US cents. The cap applies from the next claim: fixes already made are billed, and fixes
    that cost nothing are never blocked. Commits; makes no Stripe call. Safe to repeat: the audit log records
    only a cap that differs. Raises InvalidSpendCap.
    """
    if cap_cents is not None and not 0 <= cap_cents <= LARGEST_CAP_CENTS:
        raise InvalidSpendCap(fields={"cap": InvalidSpendCap.message})
    account = lock_account(customer)
    log.info("spend_cap_set", customer=str(customer.pk), cap=cap_cents, was=account.spend_cap_cents, at=at)
    if account.spend_cap_cents == cap_cents:
        return account
    account.spend_cap_cents = cap_cents
    account.save(update_fields=["spend_cap_cents", "updated_at"])
    record_audit_log_entry(
        customer=customer,
        action=AuditLogEntry.Action.CAP_CHANGED,
        actor=by.user if by else None,
        address=by.address if by else None,
        device=by.device if by else "",
        subject="removed" if cap_cents is None else format_cents(cap_cents, is_short=True),
        at=at,
    )
    return account
