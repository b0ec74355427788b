"""The benchmark's own views: the bare view, which is the baseline, and views that only authenticate."""

from django.http import HttpRequest, JsonResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_api_key.permissions import HasAPIKey

from core.api.auth import HasApiKey
from customers.api.auth import ApiKeyAuthentication


def show_bare(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True})


class OnlyAuthenticate(APIView):
    """A plain DRF view without rate limits, so that only the authentication differs."""

    throttle_classes = ()
    schema = None

    def get(self, request: Request) -> Response:
        return Response({"ok": True})


class OursView(OnlyAuthenticate):
    authentication_classes = (ApiKeyAuthentication,)
    permission_classes = (HasApiKey,)


class LibraryView(OnlyAuthenticate):
    authentication_classes = ()
    permission_classes = (HasAPIKey,)
