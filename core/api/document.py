"""`GET /api/openapi`: the API's description, which is the same for everybody."""

from functools import cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request


class OpenApiView(SpectacularAPIView):
    """Made once in each process and format: making it takes longer than any other public answer."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer: Any = request.accepted_renderer
        kind: Any = type(renderer)
        response = HttpResponse(_write(kind), content_type=renderer.media_type)
        response["Content-Disposition"] = f'inline; filename="rsolv-api.{renderer.format}"'
        return response


@cache
def _write(renderer: Any) -> bytes:
    document = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    text: bytes = renderer().render(document, renderer_context={})
    return text
