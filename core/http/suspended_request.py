"""Keep a request in the session while the user reauthenticates; allauth runs it afterwards."""

import json

from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.core.internal.httpkit import serialize_request
from django.http import HttpRequest

SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
# What the view, the audit log and the CSRF check need from the request's environment.
KEPT_OF_HEADERS = frozenset(
    {
        *("REQUEST_METHOD", "PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH"),
        *("SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR", "CSRF_COOKIE"),
        *("HTTP_HOST", "HTTP_USER_AGENT", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"),
    }
)


def suspend_request(request: HttpRequest) -> None:
    """Store a request until the user has reauthenticated, without cookies and headers that may hold secrets.

    allauth runs it when the user returns to `request.path`; the query string is stored with it.
    """
    kept = json.loads(serialize_request(request))
    kept["META"] = {name: text for name, text in kept["META"].items() if name in KEPT_OF_HEADERS}
    request.session[STATE_SESSION_KEY] = {"request": json.dumps(kept)}


def drop_suspended_request(request: HttpRequest) -> None:
    """Remove a suspended request.

    Call it when asking for reauthentication without suspending: otherwise an older change would run.
    """
    request.session.pop(STATE_SESSION_KEY, None)
