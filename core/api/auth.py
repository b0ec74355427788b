"""The permission that every view has unless it says otherwise: `request.auth` names a principal."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from .errors import AuthRequired


class HasApiKey(BasePermission):
    """Raises AuthRequired (401), where DRF would answer 403."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.auth is None:
            raise AuthRequired
        return True
