"""The errors and response headers that the OpenAPI document lists. Add a new error code to ERRORS."""

from typing import Any

# HTTP status: its meaning, and every code that comes with it.
ERRORS: dict[str, tuple[str, tuple[str, ...]]] = {
    "400": ("The request is malformed.", ("INVALID_REQUEST", "MISSING_PARAMETERS")),
    "401": ("The API key is missing or invalid.", ("AUTH_REQUIRED", "INVALID_API_KEY")),
    "402": ("The plan has no validated fix left.", ("USAGE_LIMIT_EXCEEDED",)),
    "403": ("The resource belongs to another customer.", ("FORBIDDEN",)),
    "404": ("The resource does not exist, or belongs to another customer.", ("NOT_FOUND",)),
    "409": ("The request conflicts with the current state.", ("CONFLICT",)),
    "413": ("The body is too large.", ("PAYLOAD_TOO_LARGE",)),
    "422": ("The request is well formed but cannot be processed.", ("VALIDATION_ERROR", "VALIDATION_FAILED")),
    "429": ("Too many requests.", ("RATE_LIMIT_EXCEEDED", "RATE_LIMITED")),
    "500": ("Something went wrong on our side.", ("INTERNAL_ERROR",)),
    "503": ("A required service is unavailable. Try again.", ("SERVICE_UNAVAILABLE",)),
}
ERROR = {
    "type": "object",
    "required": ["error", "requestId"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {
                    "type": "string",
                    "enum": sorted({code for _, codes in ERRORS.values() for code in codes}),
                },
                "message": {
                    "type": "string",
                    "minLength": 1,
                    "description": "A sentence that says what is wrong and what to do.",
                },
                "fields": {
                    "type": "object",
                    "description": "What is wrong with each field.",
                    "additionalProperties": {"type": "string"},
                },
            },
        },
        "requestId": {"type": "string", "description": "Also the header X-Request-Id."},
    },
}
REFERENCE = {"$ref": "#/components/schemas/Error"}


def describe_error(status: str, response: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI response of an error status, with its codes and the operation's own description.

    If the operation has a body of its own for that status, either shape is allowed.
    """
    meaning, codes = ERRORS[status]
    own = response.get("description") or meaning
    code = {"type": "string", "enum": list(codes)}
    shape: dict[str, Any] = {
        "allOf": [REFERENCE, {"properties": {"error": {"properties": {"code": code}}}, "type": "object"}]
    }
    given = response.get("content", {}).get("application/json", {}).get("schema")
    listed = ", ".join(f"`{each}`" for each in codes)
    return {
        "description": own if "`" in own else f"{own} {listed}",
        "content": {"application/json": {"schema": {"anyOf": [given, shape]} if given else shape}},
    }


def _header(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "required": True, "schema": schema}


def describe_headers(status: str, *, is_limited: bool, is_replayed: bool) -> dict[str, Any]:
    """Return the response headers of a status. All are always sent, except Idempotent-Replayed."""
    headers = {
        "X-Request-Id": _header(
            "The request's id: the one you sent, if its format is valid.", type="string", minLength=8
        )
    }
    if is_limited:
        headers |= {
            "X-RateLimit-Limit": _header("Requests allowed per minute.", type="integer", minimum=1),
            "X-RateLimit-Remaining": _header("Requests left in this minute.", type="integer", minimum=0),
            "X-RateLimit-Reset": _header("When the minute ends, in Unix seconds.", type="integer", minimum=0),
            "RateLimit-Policy": _header(
                "The limit in the format of the IETF draft for RateLimit headers.", type="string"
            ),
            "RateLimit": _header("The remaining requests in the same format.", type="string"),
        }
    if status == "429":
        headers["Retry-After"] = _header("Seconds to wait.", type="integer", minimum=1)
    if status == "401":
        headers["WWW-Authenticate"] = _header("How to send a key.", type="string")
    if is_replayed:
        replayed = _header(
            "Present if the response was stored for an Idempotency-Key and is replayed.",
            type="string",
            enum=["true"],
        )
        headers["Idempotent-Replayed"] = replayed | {"required": False}
    return headers
