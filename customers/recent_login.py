"""Whether a person has just shown who they are: by logging in, or by a password, passkey or code since.

See docs/decisions/023-reauthenticate-for-sensitive-changes.md.
"""

import time

from django.conf import settings
from django.http import HttpRequest

KEPT_AS = "identity_shown"


def record_identity_proof(request: HttpRequest, *, user_id: int) -> None:
    """Remember in the session that its person has just shown who they are."""
    request.session[KEPT_AS] = [user_id, time.time()]


def is_login_recent(request: HttpRequest) -> bool:
    """Whether that was less than ACCOUNT_REAUTHENTICATION_TIMEOUT seconds ago, in this session."""
    kept = request.session.get(KEPT_AS)
    if not kept or kept[0] != request.user.pk:
        return False
    return bool(0 <= time.time() - kept[1] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)
