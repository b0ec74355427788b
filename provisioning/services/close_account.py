"""Close accounts."""

from datetime import datetime
from typing import Unpack

from django.db import transaction
from django.utils.translation import gettext_noop

from billing.models import BillingAccount
from billing.selectors.entitlements import get_account
from billing.services.subscriptions.cancel_plan import end_all_plans
from core.errors import DomainError
from core.mail.queue import queue_mail
from customers.models import AuditLogEntry, Customer, User
from customers.origin import Origin
from customers.services.record_audit_log_entry import record_audit_log_entry
from customers.services.release_namespace import release_namespaces


class PlanSetupInProgress(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop("Your plan is still being set up at Stripe. Try again in a minute.")


def close_account(*, customer: Customer, by: User, at: datetime, **origin: Unpack[Origin]) -> None:
    """Cancel the plan with a final invoice, then reject all keys and logins. Calls Stripe.

    Ledger and audit log stay; a new account may use the address and the namespaces. If Stripe cannot cancel
    the plan, nothing else changes. Safe to repeat. Raises PlanSetupInProgress and what end_all_plans raises.
    """
    if get_account(customer=customer).status == BillingAccount.Status.PENDING:
        raise PlanSetupInProgress
    end_all_plans(customer=customer)
    with transaction.atomic():
        _close(customer, by, at, **origin)


def _close(customer: Customer, by: User, at: datetime, **origin: Unpack[Origin]) -> None:
    # Also locks the row, which release_namespaces requires.
    if not Customer.objects.filter(pk=customer.pk, closed_at=None).update(closed_at=at):
        return
    customer.api_keys.filter(revoked_at=None).update(revoked_at=at)
    customer.invitations.filter(accepted_at=None, revoked_at=None).update(revoked_at=at)
    release_namespaces(customer=customer, at=at)
    record_audit_log_entry(
        customer=customer, action=AuditLogEntry.Action.ACCOUNT_CLOSED, actor=by, at=at, **origin
    )
    for recipient in sorted({customer.email.lower(), by.email.lower()}):
        queue_mail("provisioning/mail/closed", to=recipient, context={"customer": customer, "by": by})
