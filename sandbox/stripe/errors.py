"""Errors in Stripe's shape: `{"error": {type, code, param, message, …}}`."""

from typing import Any


class StripeFailure(Exception):
    """An error response.

    `saved`: an idempotency key stores it (everything except rejected parameters and conflicts).
    `keeps_changes`: earlier writes are kept (a declined payment leaves its attempt).
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        saved: bool = True,
        keeps_changes: bool = False,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.saved = saved
        self.keeps_changes = keeps_changes
        fields = {"code": code, "param": param, **extra}
        self.error: dict[str, Any] = {
            **{name: value for name, value in fields.items() if value is not None},
            **({"doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"} if code else {}),
            "message": message,
            "type": type,
        }

    @property
    def body(self) -> dict[str, Any]:
        return {"error": self.error}


def bad_parameter(message: str, code: str | None, param: str) -> StripeFailure:
    """Build the error of an invalid parameter, rejected before any work, so no idempotency key stores it."""
    return StripeFailure(message, code=code, param=param, saved=False)


def missing_object(noun: str, id: str, param: str = "id") -> StripeFailure:
    """Build the error of an unknown id: 404 in the path (`param` is `id`), 400 in a parameter."""
    status = 404 if param == "id" else 400
    return StripeFailure(f"No such {noun}: '{id}'", status=status, code="resource_missing", param=param)


def card_error(message: str, *, code: str, decline_code: str | None = None, **extra: Any) -> StripeFailure:
    """Build the error of a declined card: HTTP 402."""
    return StripeFailure(
        message, status=402, type="card_error", code=code, decline_code=decline_code, **extra
    )
