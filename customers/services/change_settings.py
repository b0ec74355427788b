"""Change names and email preferences."""

from datetime import datetime
from typing import Unpack

from django.db import transaction

from customers.models import AuditLogEntry, Customer, Membership, User
from customers.origin import Origin
from customers.selectors import get_membership

from .record_audit_log_entry import record_audit_log_entry

Action = AuditLogEntry.Action


@transaction.atomic
def change_profile(*, user: User, name: str, time_zone: str, at: datetime, **origin: Unpack[Origin]) -> None:
    """Change a person's name and time zone. A new name is recorded in the audit log.

    `time_zone` is an IANA name, or "" for UTC.
    """
    before = User.objects.select_for_update().get(pk=user.pk).name
    user.name, user.time_zone = name.strip(), time_zone
    user.save(update_fields=["name", "time_zone"])
    membership = get_membership(user)
    if user.name != before and membership is not None:
        subject = f"{_quote(before)} to {_quote(user.name)}"
        record_audit_log_entry(
            customer=membership.customer,
            action=Action.PERSON_RENAMED,
            actor=user,
            at=at,
            subject=subject,
            **origin,
        )


@transaction.atomic
def rename_customer(
    *, customer: Customer, name: str, by: User, at: datetime, **origin: Unpack[Origin]
) -> None:
    """Rename an account and record it in the audit log. Existing invoices keep the old name."""
    before = Customer.objects.select_for_update().get(pk=customer.pk).name
    customer.name = name.strip()
    customer.save(update_fields=["name"])
    if customer.name != before:
        subject = f"{_quote(before)} to {_quote(customer.name)}"
        record_audit_log_entry(
            customer=customer, action=Action.CUSTOMER_RENAMED, actor=by, at=at, subject=subject, **origin
        )


@transaction.atomic
def choose_mail(
    *,
    membership: Membership,
    wants_alerts: bool,
    wants_guidance: bool,
    at: datetime,
    **origin: Unpack[Origin],
) -> None:
    """Choose which mail to the account's address this member receives. Records changes in the audit log."""
    place = Membership.objects.select_for_update().get(pk=membership.pk)
    changed = [
        f"{words} {'on' if wanted else 'off'}"
        for words, before, wanted in (
            ("alerts", place.wants_alerts, wants_alerts),
            ("guidance", place.wants_guidance, wants_guidance),
        )
        if before != wanted
    ]
    membership.wants_alerts, membership.wants_guidance = wants_alerts, wants_guidance
    membership.save(update_fields=["wants_alerts", "wants_guidance"])
    if changed:
        record_audit_log_entry(
            customer=membership.customer,
            action=Action.MAIL_CHOSEN,
            actor=membership.user,
            at=at,
            subject=", ".join(changed),
            **origin,
        )


def _quote(name: str) -> str:
    """Quote a name, shortened so that two of them fit into one subject."""
    return f'"{name if len(name) <= 110 else name[:109] + "…"}"'
