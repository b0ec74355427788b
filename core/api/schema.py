"""Generate the OpenAPI document, with the fields, headers and errors that the API really has.

A serializer or field adds what drf-spectacular cannot see in its attribute `openapi`, which is merged into
its request schema. `openapi_spellings` maps an alternative name to the field that it stands for. A view lists
errors that only some operations have in `error_statuses`.
"""

from copy import deepcopy
from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from core.api.schema_errors import ERROR, describe_error, describe_headers

KEY = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]{1,255}$"}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    type=KEY,
    location=OpenApiParameter.HEADER,
    description="Executes the request once: the same key and body replays the response for 24 hours, "
    "another body is 422 `VALIDATION_ERROR`, and while the first is in flight others get 409 `CONFLICT`.",
)


# Where a serializer's `openapi` is kept until all schemas exist. Merged earlier, drf-spectacular would name
# enums of alternatives (such as each framework's languages) by their property, the same name for all.
MERGED_LATER = "x-merged-later"


class ApiSchema(AutoSchema):
    """Add to every operation its errors, its headers, and whether it needs a key."""

    def get_operation(self, *args: Any) -> Any:
        operation = super().get_operation(*args)
        if operation is not None:
            operation.setdefault("security", [])
        return operation

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = super().get_override_parameters()
        return [*parameters, IDEMPOTENCY_KEY] if self._is_idempotent() else parameters

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer(serializer, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        if direction == "request":
            if extra := getattr(serializer, "openapi", {}):
                schema[MERGED_LATER] = deepcopy(extra)
            for name, other in getattr(serializer, "openapi_spellings", {}).items():
                schema["properties"][name] = deepcopy(schema["properties"][other])
        return schema

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        if direction == "request" and isinstance(extra := getattr(field, "openapi", None), dict):
            return deepcopy({name: value for name, value in (schema | extra).items() if value is not None})
        return schema

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        for status in sorted({*self._list_errors(), *(each for each in responses if each >= "400")}):
            responses[status] = describe_error(status, responses.get(status, {}))
        is_limited = bool(self.view.get_throttles()) or hasattr(self.view, "answers_with_limits")
        for status, response in responses.items():
            response["headers"] = describe_headers(
                status, is_limited=is_limited, is_replayed=self._is_idempotent() and status < "300"
            )
        return responses

    def _list_errors(self) -> set[str]:
        found = {"400", "500", "503", *getattr(self.view, "error_statuses", ())}
        if self.view.get_authenticators():
            found.add("401")
        if self.view.get_throttles():
            found.add("429")
        if self.method == "POST":
            found |= {"413", "422"}
        if self._is_idempotent():
            found.add("409")
        return found

    def _is_idempotent(self) -> bool:
        return hasattr(getattr(self.view, self.method.lower(), None), "is_idempotent")


def add_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the error schema and the postponed `openapi` parts. Runs after drf-spectacular's own hooks."""
    schemas = result["components"]["schemas"]
    for schema in schemas.values():
        schema |= schema.pop(MERGED_LATER, {})
    schemas["Error"] = deepcopy(ERROR)
    return result
