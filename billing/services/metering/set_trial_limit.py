"""Set the number of free fixes of a customer's trial, on behalf of staff."""

from datetime import datetime

from django.db import transaction

from billing.models import BillingAccount
from billing.services.metering.record_usage import lock_account
from customers.models import AuditLogEntry, Customer, User
from customers.services.record_audit_log_entry import record_audit_log_entry


@transaction.atomic
def set_trial_limit(*, customer: Customer, fixes: int, by: User, at: datetime) -> BillingAccount:
    """Set the trial's number of free fixes and record it in the audit log. Commits; safe to repeat."""
    account = lock_account(customer)
    if account.trial_fixes_limit == fixes:
        return account
    account.trial_fixes_limit = fixes
    account.save(update_fields=["trial_fixes_limit", "updated_at"])
    record_audit_log_entry(
        customer=customer,
        action=AuditLogEntry.Action.STAFF_ACTED,
        actor=by,
        subject=f"free fixes of the trial: {fixes}",
        at=at,
    )
    return account
