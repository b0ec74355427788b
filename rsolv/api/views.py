"""What every API view shares."""

from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class ApiView(APIView):
    """An API view that always says where the caller stands against the limits."""

    def finalize_response(self, request: HttpRequest, response: Any, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        standing = getattr(request, "standing", None)
        if standing is not None:
            response["X-RateLimit-Limit"] = str(standing.limit)
            response["X-RateLimit-Remaining"] = str(standing.remaining)
            response["X-RateLimit-Reset"] = str(standing.reset_at)
            response["RateLimit-Policy"] = f'"default";q={standing.limit};w=60'
            response["RateLimit"] = f'"default";r={standing.remaining};t={standing.seconds_left}'
        return response  # type: ignore[no-any-return]


__all__ = ["ApiView", "Request", "Response"]
