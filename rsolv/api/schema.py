"""How the API describes itself in OpenAPI."""

from typing import Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "rsolv.api.auth.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "X-API-Key"}


class ApiSchema(AutoSchema):
    """Adds the error shape to every operation."""

    def _get_response_bodies(
        self, direction: Literal["request", "response"] = "response"
    ) -> dict[str, object]:
        responses: dict[str, object] = super()._get_response_bodies(direction)
        for status, meaning in ERRORS.items():
            responses.setdefault(status, {"description": meaning})
        for status, response in responses.items():
            if status >= "400" and isinstance(response, dict):
                response["content"] = ERROR_CONTENT
        return responses


ERRORS = {
    "400": "The request is malformed: `INVALID_REQUEST`, `MISSING_PARAMETERS`",
    "401": "No key or a bad one: `AUTH_REQUIRED`, `INVALID_API_KEY`",
    "403": "`FORBIDDEN`",
    "404": "`NOT_FOUND`",
    "413": "`PAYLOAD_TOO_LARGE`",
    "422": "Well formed, and not to be carried out: `VALIDATION_ERROR`",
    "429": "`RATE_LIMIT_EXCEEDED`, `RATE_LIMITED`",
    "503": "`SERVICE_UNAVAILABLE`",
}
ERROR_CONTENT = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["error", "requestId"],
            "properties": {
                "error": {
                    "type": "object",
                    "required": ["code", "message"],
                    "properties": {
                        "code": {"type": "string"},
                        "message": {"type": "string"},
                        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                },
                "requestId": {"type": "string"},
            },
        }
    }
}
