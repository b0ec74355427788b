"""Who calls the API: the customer behind an API key. `request.auth` is the ApiKey."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars

from customers.models import ApiKey, Customer
from customers.services import authenticate_api_key

from .errors import AuthRequired, InvalidApiKey
from .throttling import count_bad_key, find_ip


class ApiKeyAuthentication(BaseAuthentication):
    """Reads `X-API-Key`, else `Authorization: Bearer`. Raises InvalidApiKey for a key that is no good."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        raw = _read_key(request)
        if raw is None:
            return None
        api_key = authenticate_api_key(raw, address=find_ip(request))
        if api_key is None:
            count_bad_key(request)
            raise InvalidApiKey
        bind_contextvars(customer=str(api_key.customer_id))
        return None, api_key

    def authenticate_header(self, request: Request) -> str:
        return 'ApiKey realm="rsolv"'


def _read_key(request: Request) -> str | None:
    header = request.headers.get("X-API-Key")
    if header is not None:
        return header.strip()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


class HasApiKey(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        if request.auth is None:
            raise AuthRequired
        return True


def get_customer(request: Request) -> Customer:
    """The customer whose key the request carries. Only for views behind HasApiKey."""
    if not isinstance(request.auth, ApiKey):
        raise AuthRequired
    return request.auth.customer
