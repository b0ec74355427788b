"""End sessions."""

from allauth.usersessions.models import UserSession
from django.db.models import F

from customers.models import User


def end_sessions(*, user: User, but: str | None = None) -> int:
    """End all of a person's sessions, including ones that are not listed. Return how many were listed.

    `but` is the key of a session that stays listed; its request must then update its session hash
    (django.contrib.auth.update_session_auth_hash). Takes effect with the surrounding transaction. Safe to
    repeat.
    """
    User.objects.filter(pk=user.pk).update(session_generation=F("session_generation") + 1)
    user.refresh_from_db(fields=["session_generation"])
    listed = list(UserSession.objects.filter(user=user).exclude(session_key=but or ""))
    ended = [session.exists() for session in listed]
    for session in listed:
        session.end()
    return sum(ended)
