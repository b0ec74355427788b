"""Whether a person has recently proved their identity, by login, password, passkey or code.

See docs/decisions/023-reauthenticate-for-sensitive-changes.md.
"""

import time

from django.conf import settings
from django.http import HttpRequest

SESSION_KEY = "identity_shown"


def record_identity_proof(request: HttpRequest, *, user_id: int) -> None:
    """Record in the session that the person has just proved their identity."""
    request.session[SESSION_KEY] = [user_id, time.time()]


def is_login_recent(request: HttpRequest) -> bool:
    """Return whether that happened in this session within ACCOUNT_REAUTHENTICATION_TIMEOUT seconds."""
    kept = request.session.get(SESSION_KEY)
    if not kept or kept[0] != request.user.pk:
        return False
    return bool(0 <= time.time() - kept[1] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)
