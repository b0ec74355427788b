"""Accept invitations."""

from datetime import datetime
from typing import Unpack

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils.translation import gettext_noop

from core.errors import DomainError
from customers import selectors
from customers.models import AuditLogEntry, Customer, Invitation, Membership, User
from customers.origin import Origin

from .invite_member import hash_token
from .record_audit_log_entry import record_audit_log_entry
from .release_unconfirmed_address import release_unconfirmed_address


class InvitationNotValid(DomainError):
    code, status = "INVITATION_OVER", 410
    message = gettext_noop("This invitation was used or revoked, or has expired. Ask for a new one.")


class NotInvited(DomainError):
    code, status = "FORBIDDEN", 403
    message = gettext_noop("This invitation is for another address.")


class AlreadyInAnotherAccount(DomainError):
    code, status = "PLACED_ELSEWHERE", 409
    message = gettext_noop(
        "You are already a member of another account. Leave it, or ask for an invitation to another address."
    )


def accept_invitation(*, token: str, user: User, at: datetime, **origin: Unpack[Origin]) -> Membership:
    """Make a person a member by their invitation, which cannot be used again.

    The person must have confirmed the invited address, and the inviter must still be allowed to assign the
    role. Raises InvitationNotValid, NotInvited, AlreadyInAnotherAccount.
    """
    with transaction.atomic():
        invitation = _lock(token, at)
        if not EmailAddress.objects.filter(user=user, email__iexact=invitation.email, verified=True).exists():
            raise NotInvited
        return _join(invitation, user, at=at, **origin)


def sign_up_invited(*, token: str, name: str, password: str, at: datetime, **origin: Unpack[Origin]) -> User:
    """Create a person from an invitation, without a customer of their own.

    The link proves that the address belongs to them. Raises InvitationNotValid, and NotInvited if the address
    already has a login.
    """
    with transaction.atomic():
        invitation = _lock(token, at)
        if find_invited(invitation) is not None:
            raise NotInvited
        release_unconfirmed_address(email=invitation.email, at=at)
        user = User.objects.create_user(email=invitation.email, password=password, name=name.strip())
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        _join(invitation, user, at=at, **origin)
    return user


def find_invited(invitation: Invitation) -> User | None:
    """Return the person who logs in with the invited address. An unconfirmed one does not count."""
    return selectors.find_person(email=invitation.email)


def _lock(token: str, at: datetime) -> Invitation:
    """Return the open invitation with this token, after locking its customer.

    Read again after the lock: another request may have accepted, revoked or resent it meanwhile.
    """
    found = Invitation.objects.filter(token_hash=hash_token(token)).first()
    if found is None:
        raise InvitationNotValid
    customer = Customer.objects.select_for_update().get(pk=found.customer_id)
    invitation = Invitation.objects.select_related("customer", "invited_by").get(pk=found.pk)
    is_answered = invitation.accepted_at or invitation.revoked_at or invitation.expires_at <= at
    if is_answered or customer.closed_at or invitation.token_hash != found.token_hash:
        raise InvitationNotValid
    if not selectors.is_inviter_entitled(invitation):
        raise InvitationNotValid
    return invitation


def _join(invitation: Invitation, user: User, *, at: datetime, **origin: Unpack[Origin]) -> Membership:
    User.objects.select_for_update().get(pk=user.pk)  # another invitation may be accepted at the same time
    if user.memberships.filter(customer__closed_at=None).exclude(customer=invitation.customer).exists():
        raise AlreadyInAnotherAccount
    membership, _ = Membership.objects.get_or_create(
        customer=invitation.customer, user=user, defaults={"role": invitation.role}
    )
    invitation.accepted_at = at
    invitation.save(update_fields=["accepted_at"])
    record_audit_log_entry(
        customer=invitation.customer,
        action=AuditLogEntry.Action.MEMBER_ADDED,
        actor=user,
        subject=f"as {membership.role}, invited by {invitation.invited_by}",
        at=at,
        **origin,
    )
    return membership
