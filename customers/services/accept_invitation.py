"""A place that was offered is taken."""

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


class InvitationOver(DomainError):
    code, status = "INVITATION_OVER", 410
    message = gettext_noop("This invitation was used, taken back or is too old. Ask for a new one.")


class NotInvited(DomainError):
    code, status = "FORBIDDEN", 403
    message = gettext_noop("This invitation is for another address.")


class PlacedElsewhere(DomainError):
    code, status = "PLACED_ELSEWHERE", 409
    message = gettext_noop(
        "You are in another account already. Leave it first, or be invited at another address."
    )


def accept_invitation(*, token: str, user: User, at: datetime, **origin: Unpack[Origin]) -> Membership:
    """Take the place; the link has then done its work. Raises InvitationOver, NotInvited, PlacedElsewhere.

    Whoever invited must still be somebody who may give the role: else the invitation is over.
    The invited address must be one that the person has confirmed.
    """
    with transaction.atomic():
        invitation = _lock(token, at)
        if not EmailAddress.objects.filter(user=user, email__iexact=invitation.email, verified=True).exists():
            raise NotInvited
        return _take(invitation, user, at=at, **origin)


def sign_up_invited(*, token: str, name: str, password: str, at: datetime, **origin: Unpack[Origin]) -> User:
    """Make a person of an invitation, and no customer: the link proves that the address is theirs.

    Raises InvitationOver, and NotInvited where the address has a login already.
    """
    with transaction.atomic():
        invitation = _lock(token, at)
        if find_invited(invitation) is not None:
            raise NotInvited
        release_unconfirmed_address(email=invitation.email, at=at)
        user = User.objects.create_user(email=invitation.email, password=password, name=name.strip())
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        _take(invitation, user, at=at, **origin)
    return user


def find_invited(invitation: Invitation) -> User | None:
    """Whose login the invited address is. Who only typed it in blocks nobody."""
    return selectors.find_person(email=invitation.email)


def _lock(token: str, at: datetime) -> Invitation:
    """The open invitation with this token, its customer and itself locked."""
    found = Invitation.objects.filter(token_hash=hash_token(token)).first()
    if found is None:
        raise InvitationOver
    customer = Customer.objects.select_for_update().get(pk=found.customer_id)
    invitation = Invitation.objects.select_related("customer", "invited_by").get(pk=found.pk)
    is_answered = invitation.accepted_at or invitation.revoked_at or invitation.expires_at <= at
    if is_answered or customer.closed_at or invitation.token_hash != found.token_hash:
        raise InvitationOver
    if not selectors.is_inviter_entitled(invitation):
        raise InvitationOver
    return invitation


def _take(invitation: Invitation, user: User, *, at: datetime, **origin: Unpack[Origin]) -> Membership:
    User.objects.select_for_update().get(pk=user.pk)  # two invitations of one person, at once
    if user.memberships.filter(customer__closed_at=None).exclude(customer=invitation.customer).exists():
        raise PlacedElsewhere
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
