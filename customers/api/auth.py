"""Authentication of API requests by key. `request.auth` is the ApiPrincipal."""

from django.db import DEFAULT_DB_ALIAS
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars

from core.api.errors import AuthRequired, InvalidApiKey
from core.api.throttling import count_bad_key, find_ip
from core.http.user_agents import describe_browser
from customers.metrics import BAD_KEYS
from customers.models import Customer
from customers.principals import ApiPrincipal
from customers.services.authenticate_key import authenticate_api_key
from customers.services.namespace_claims import KeyOrigin


class ApiKeyAuthentication(BaseAuthentication):
    """Reads `X-API-Key`, else `Authorization: Bearer`. Raises InvalidApiKey for an invalid key."""

    def authenticate(self, request: Request) -> tuple[None, ApiPrincipal] | None:
        raw = _read_key(request)
        if raw is None:
            return None
        principal = authenticate_api_key(raw, address=find_ip(request))
        if principal is None:
            BAD_KEYS.inc()
            count_bad_key(request)
            raise InvalidApiKey
        bind_contextvars(customer=str(principal.customer_id))
        return None, principal

    def authenticate_header(self, request: Request) -> str:
        return 'ApiKey realm="rsolv"'


def _read_key(request: Request) -> str | None:
    header = request.headers.get("X-API-Key")
    if header is not None:
        return header.strip()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def get_customer(request: Request) -> Customer:
    """Return the customer of the request's key. Only for views that require HasApiKey.

    Only its id is loaded, which is all that most views need. Any other field is read from the database on
    access.
    """
    if not isinstance(request.auth, ApiPrincipal):
        raise AuthRequired
    return Customer.from_db(DEFAULT_DB_ALIAS, ["id"], [request.auth.customer_id])


def find_origin(request: Request) -> KeyOrigin:
    """Return the request's key, address and client, for the audit log."""
    key_id = request.auth.key_id if isinstance(request.auth, ApiPrincipal) else None
    device = describe_browser(request.headers.get("User-Agent", ""))
    return KeyOrigin(key_id=key_id, address=find_ip(request), device=device)
