"""`GET /api/openapi`: the OpenAPI document, the same for every caller."""

from functools import cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request


class OpenApiView(SpectacularAPIView):
    """Serve the OpenAPI document, generated once per process and format.

    Generating it takes longer than any other public response.
    """

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer: Any = request.accepted_renderer
        kind: Any = type(renderer)
        response = HttpResponse(_render_document(kind), content_type=renderer.media_type)
        response["Content-Disposition"] = f'inline; filename="rsolv-api.{renderer.format}"'
        return response


@cache
def _render_document(renderer: Any) -> bytes:
    document = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    text: bytes = renderer().render(document, renderer_context={})
    return text
