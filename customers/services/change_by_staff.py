"""Changes that staff make to people, customers and keys, recorded in the customer's audit log.

Only superusers may change members of staff: otherwise staff could take over accounts with more permissions.
"""

from datetime import datetime

from allauth.account.forms import ResetPasswordForm
from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext_noop

from core.errors import DomainError
from customers.models import ApiKey, AuditLogEntry, Customer, User
from customers.selectors import get_membership

from .create_customer import EmailTaken
from .deactivate_person import deactivate_person, reactivate_person
from .record_audit_log_entry import record_audit_log_entry

Action = AuditLogEntry.Action


class StaffPerson(DomainError):
    code, status = "FORBIDDEN", 403
    message = gettext_noop(
        "Only a superuser may change members of staff, and you cannot deactivate yourself."
    )


@transaction.atomic
def change_person(*, person: User, name: str, is_active: bool, by: User, at: datetime) -> None:
    """Rename a person, and deactivate or reactivate them (see deactivate_person). Raises StaffPerson."""
    theirs = User.objects.get(pk=person.pk)
    require_permission_to_change(theirs, by)
    if theirs == by and not is_active:
        raise StaffPerson
    if theirs.name != name.strip():
        _record(theirs, f"name: {theirs.name} to {name.strip()}", by, at)
        theirs.name = name.strip()
        theirs.save(update_fields=["name"])
    change = reactivate_person if is_active else deactivate_person
    change(user=theirs, actor=by, at=at)


def send_password_reset(*, person: User, by: User, at: datetime, request: HttpRequest) -> None:
    """Mail the person a password reset link. Staff see neither link nor password. Raises StaffPerson."""
    require_permission_to_change(person, by)
    form = ResetPasswordForm(data={"email": person.email})
    with transaction.atomic():
        if form.is_valid():
            form.save(request)
        _record(person, "sent a password reset link", by, at)


@transaction.atomic
def remove_authenticator(*, authenticator: Authenticator, by: User, at: datetime) -> None:
    """Remove a second factor that a person has lost. Recovery codes are removed with the last one.

    Safe to repeat. Raises StaffPerson.
    """
    person = authenticator.user
    require_permission_to_change(person, by)
    if not Authenticator.objects.filter(pk=authenticator.pk).delete()[0]:
        return
    left = Authenticator.objects.filter(user=person)
    if not left.exclude(type=Authenticator.Type.RECOVERY_CODES).exists():
        left.delete()
    membership = get_membership(person)
    if membership is not None:
        subject = f"{person.email}: {authenticator.get_type_display()}"
        record_audit_log_entry(
            customer=membership.customer, action=Action.TWO_FACTOR_OFF, actor=by, subject=subject, at=at
        )


def change_customer(*, customer: Customer, name: str, email: str, by: User, at: datetime) -> None:
    """Rename a customer, and change the address for its bills and alerts. Raises EmailTaken."""
    # Caught outside the transaction, which an IntegrityError ends.
    try:
        with transaction.atomic():
            theirs = Customer.objects.select_for_update().get(pk=customer.pk)
            wanted = {"name": name.strip(), "email": email.strip().lower()}
            changes = {key: text for key, text in wanted.items() if getattr(theirs, key) != text}
            words = ", ".join(f"{key}: {getattr(theirs, key)} to {text}" for key, text in changes.items())
            if changes:
                Customer.objects.filter(pk=theirs.pk).update(**changes)
                record_audit_log_entry(
                    customer=theirs, action=Action.STAFF_ACTED, actor=by, subject=words, at=at
                )
    except IntegrityError as error:
        raise EmailTaken(fields={"email": EmailTaken.message}) from error


@transaction.atomic
def rename_api_key(*, api_key: ApiKey, name: str, by: User, at: datetime) -> None:
    """Rename a key. The key itself stays the same."""
    theirs = ApiKey.objects.select_for_update(of=("self",)).get(pk=api_key.pk)
    if theirs.name == name.strip():
        return
    subject = f"{theirs.prefix}…: {theirs.name} to {name.strip()}"
    theirs.name = name.strip()
    theirs.save(update_fields=["name"])
    record_audit_log_entry(
        customer=theirs.customer, action=Action.KEY_RENAMED, actor=by, subject=subject, at=at
    )


def require_permission_to_change(person: User, by: User) -> None:
    """Raise StaffPerson if the person has more permissions than the member of staff who changes them."""
    if (person.is_staff or person.is_superuser) and not by.is_superuser:
        raise StaffPerson


def _record(person: User, words: str, by: User, at: datetime) -> None:
    membership = get_membership(person)
    if membership is not None:
        record_audit_log_entry(
            customer=membership.customer,
            action=Action.STAFF_ACTED,
            actor=by,
            subject=f"{person.email}: {words}",
            at=at,
        )
