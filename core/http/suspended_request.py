"""A request that waits while its person shows again who they are; allauth runs it from the session."""

import json

from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.core.internal.httpkit import serialize_request
from django.http import HttpRequest

SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
# What a view, the audit log and the form's token need of the request's headers and environment.
KEPT_OF_HEADERS = frozenset(
    {
        *("REQUEST_METHOD", "PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH"),
        *("SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR", "CSRF_COOKIE"),
        *("HTTP_HOST", "HTTP_USER_AGENT", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"),
    }
)


def suspend_request(request: HttpRequest) -> None:
    """Keep a change until its person has answered, without cookies and other headers that may hold secrets.

    It runs where the path after the answer is `request.path`; what its query says is kept with it.
    """
    kept = json.loads(serialize_request(request))
    kept["META"] = {name: text for name, text in kept["META"].items() if name in KEPT_OF_HEADERS}
    request.session[STATE_SESSION_KEY] = {"request": json.dumps(kept)}


def drop_suspended_request(request: HttpRequest) -> None:
    """Forget what waits. A question that keeps nothing calls it: its answer must not run an older change."""
    request.session.pop(STATE_SESSION_KEY, None)
