"""Record changes to a person's login in their customer's audit log, and end their other sessions."""

from allauth.usersessions.models import UserSession
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest
from django.utils import timezone

from customers.services.end_sessions import end_sessions
from customers.services.record_audit_log_entry import record_audit_log_entry

from .access import find_origin
from .models import AuditLogEntry, User
from .selectors import get_membership


def record_login_action(
    request: HttpRequest, user: User, action: AuditLogEntry.Action, subject: str = ""
) -> None:
    """Add an entry to the audit log of the person's customer.

    Does nothing for a person without a customer.
    """
    membership = get_membership(user)
    if membership is not None:
        record_audit_log_entry(
            customer=membership.customer,
            action=action,
            actor=user,
            subject=subject,
            at=timezone.now(),
            **find_origin(request),
        )


def record_failed_reauthentication(request: HttpRequest) -> None:
    """Record that somebody in this session failed to reauthenticate."""
    if isinstance(request.user, User):
        record_login_action(request, request.user, AuditLogEntry.Action.REAUTHENTICATION_FAILED)


def end_other_sessions(request: HttpRequest, user: User) -> None:
    """End all sessions of a person except the current one if it is theirs, which gets a new session key.

    Records the number of listed sessions in the audit log. Safe to repeat.
    """
    is_own = request.user.is_authenticated and request.user.pk == user.pk
    before = request.session.session_key if is_own else None
    ended = end_sessions(user=user, but=before)
    if is_own:
        # Another object of the same person, from which the session's new hash is computed.
        request.user.session_generation = user.session_generation  # type: ignore[union-attr]
        update_session_auth_hash(request, user)
        # The call above has given the session a new key, which allauth's list does not know yet.
        UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)
    if ended:
        words = f"{ended} {'session' if ended == 1 else 'sessions'}"
        record_login_action(request, user, AuditLogEntry.Action.SESSIONS_ENDED, words)
