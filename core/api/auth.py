"""The default permission of every API view: a valid API key, whose principal is `request.auth`."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from .errors import AuthRequired


class HasApiKey(BasePermission):
    """Require an API key. Raises AuthRequired (401), where DRF's IsAuthenticated would answer 403."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.auth is None:
            raise AuthRequired
        return True
