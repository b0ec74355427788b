"""The errors and headers of the API, as its OpenAPI document lists them. A new code is one word here."""

from typing import Any

# Status: what it means, and every code that it comes with.
ERRORS: dict[str, tuple[str, tuple[str, ...]]] = {
    "400": ("The request is malformed.", ("INVALID_REQUEST", "MISSING_PARAMETERS")),
    "401": ("No key, or a bad one.", ("AUTH_REQUIRED", "INVALID_API_KEY")),
    "402": ("No fix is left.", ("USAGE_LIMIT_EXCEEDED",)),
    "403": ("It is another's.", ("FORBIDDEN",)),
    "404": ("It is not there, or not yours.", ("NOT_FOUND",)),
    "409": ("It cannot be done now.", ("CONFLICT",)),
    "413": ("The body is too large.", ("PAYLOAD_TOO_LARGE",)),
    "422": ("Well formed, and not to be carried out.", ("VALIDATION_ERROR", "VALIDATION_FAILED")),
    "429": ("Too many requests.", ("RATE_LIMIT_EXCEEDED", "RATE_LIMITED")),
    "500": ("Something went wrong on our side.", ("INTERNAL_ERROR",)),
    "503": ("A service that we need is unavailable. Try again.", ("SERVICE_UNAVAILABLE",)),
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
                    "description": "A sentence that says what to do.",
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
    """A response of that status: its codes, beside what the operation itself says of it.

    An operation whose answer has another shape with that status has either.
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
    headers = {"X-Request-Id": _header("The request's id: yours, if it is sane.", type="string", minLength=8)}
    if is_limited:
        headers |= {
            "X-RateLimit-Limit": _header("Requests that a minute allows.", type="integer", minimum=1),
            "X-RateLimit-Remaining": _header("How many are left.", type="integer", minimum=0),
            "X-RateLimit-Reset": _header("When the minute ends, in unix seconds.", type="integer", minimum=0),
            "RateLimit-Policy": _header("The same in the standard's words.", type="string"),
            "RateLimit": _header("The same in the standard's words.", type="string"),
        }
    if status == "429":
        headers["Retry-After"] = _header("Seconds to wait.", type="integer", minimum=1)
    if status == "401":
        headers["WWW-Authenticate"] = _header("How to send a key.", type="string")
    if is_replayed:
        replayed = _header(
            "Sent with an answer that was kept for an Idempotency-Key.", type="string", enum=["true"]
        )
        headers["Idempotent-Replayed"] = replayed | {"required": False}
    return headers
