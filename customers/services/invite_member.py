"""Send, resend and revoke invitations."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Unpack

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from core.errors import DomainError
from core.mail.queue import queue_mail
from customers import roles, selectors
from customers.addresses import normalize_email
from customers.mail_limits import count_invitation
from customers.models import AuditLogEntry, Customer, Invitation, Membership
from customers.origin import Origin

from .change_role import NotPermitted, refresh_role
from .record_audit_log_entry import record_audit_log_entry

VALID_FOR = timedelta(days=7)
MAX_OPEN = 50


class AlreadyMember(DomainError):
    code, status = "ALREADY_MEMBER", 409
    message = gettext_noop("This person is already a member of your account.")


class AlreadyInvited(DomainError):
    code, status = "ALREADY_INVITED", 409
    message = gettext_noop("This address is already invited. You can resend the invitation below.")


class TooManyInvitations(DomainError):
    code, status = "TOO_MANY_INVITATIONS", 409
    message = gettext_noop("%(count)d invitations are open. Revoke some first.")
    params = {"count": MAX_OPEN}


def invite_member(
    *,
    customer: Customer,
    email: str,
    role: str,
    by: Membership,
    at: datetime,
    **origin: Unpack[Origin],
) -> Invitation:
    """Create an invitation valid for seven days, and queue the mail with its link, which works once.

    Raises NotPermitted, AlreadyMember, AlreadyInvited, TooManyInvitations,
    customers.mail_limits.TooManyMails.
    """
    email = normalize_email(email)
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=customer.pk)
        if not roles.may_invite(refresh_role(by), role):
            raise NotPermitted
        _require_invitable(customer, email, at)
        token = secrets.token_urlsafe(32)
        try:
            with transaction.atomic():
                # A savepoint, so that the IntegrityError leaves the outer transaction usable.
                invitation = Invitation.objects.create(
                    customer=customer,
                    email=email,
                    role=role,
                    token_hash=hash_token(token),
                    invited_by=by.user,
                    created_at=at,
                    expires_at=at + VALID_FOR,
                )
        except IntegrityError as error:
            raise AlreadyInvited from error
        # Last, so that a rejected invitation is not counted. If a limit is exceeded, the row is rolled back.
        count_invitation(sender=by.user_id, customer=customer.pk, email=email)
        _record(invitation, AuditLogEntry.Action.MEMBER_INVITED, by=by, at=at, **origin)
        _send_mail(invitation, token)
    return invitation


def _require_invitable(customer: Customer, email: str, at: datetime) -> None:
    if customer.memberships.filter(user__email__iexact=email).exists():
        raise AlreadyMember
    unanswered = customer.invitations.filter(accepted_at=None, revoked_at=None)
    # An expired invitation still counts for the unique constraint, so it makes room for the new one.
    unanswered.filter(email__iexact=email, expires_at__lte=at).update(revoked_at=at)
    if unanswered.count() >= MAX_OPEN:
        raise TooManyInvitations


def resend_invitation(
    *, invitation: Invitation, by: Membership, at: datetime, **origin: Unpack[Origin]
) -> None:
    """Mail a new link valid for seven days. The old link stops working. Answered invitations are unchanged.

    If the inviter may no longer assign the role, `by` becomes the inviter. Raises NotPermitted and
    customers.mail_limits.TooManyMails.
    """
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=invitation.customer_id)
        locked = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if not roles.may_invite(refresh_role(by), locked.role):
            raise NotPermitted
        if locked.accepted_at or locked.revoked_at:
            return
        count_invitation(sender=by.user_id, customer=locked.customer_id, email=locked.email)
        if not selectors.is_inviter_entitled(locked):
            locked.invited_by = by.user
        locked.token_hash, locked.expires_at = hash_token(token), at + VALID_FOR
        locked.expiry_recorded_at = None
        locked.save(update_fields=["token_hash", "expires_at", "expiry_recorded_at", "invited_by"])
        _record(locked, AuditLogEntry.Action.MEMBER_INVITED, by=by, at=at, suffix=", again", **origin)
        _send_mail(locked, token)


def revoke_invitation(
    *, invitation: Invitation, by: Membership, at: datetime, **origin: Unpack[Origin]
) -> None:
    """Revoke an invitation. Safe to repeat. Raises NotPermitted."""
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=invitation.customer_id)
        if not roles.may_invite(refresh_role(by), invitation.role):
            raise NotPermitted
        open_ones = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
        if open_ones.update(revoked_at=at):
            _record(invitation, AuditLogEntry.Action.INVITATION_REVOKED, by=by, at=at, **origin)


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _record(
    invitation: Invitation,
    action: AuditLogEntry.Action,
    *,
    by: Membership,
    at: datetime,
    suffix: str = "",
    **origin: Unpack[Origin],
) -> None:
    record_audit_log_entry(
        customer=invitation.customer,
        action=action,
        actor=by.user,
        subject=f"{invitation.email} as {invitation.role}{suffix}",
        at=at,
        **origin,
    )


def _send_mail(invitation: Invitation, token: str) -> None:
    """Queue the mail with the link. The raw token is stored nowhere else."""
    context = {"invitation": invitation, "path": f"/invitations/{token}/"}
    queue_mail("customers/mail/invitation", to=invitation.email, context=context)
