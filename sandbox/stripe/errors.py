"""Refusals in Stripe's own shape: `{"error": {type, code, param, message, …}}`."""

from typing import Any


class StripeFailure(Exception):
    """An answer that is an error.

    `saved`: an idempotency key remembers it (everything but refused parameters and conflicts).
    `keeps_changes`: what was written before it stays written (a declined payment leaves its attempt).
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
    """Refused before any work began, so no idempotency key remembers it."""
    return StripeFailure(message, code=code, param=param, saved=False)


def missing_object(noun: str, id: str, param: str = "id") -> StripeFailure:
    """The id names nothing here: 404 when it is the address, as Stripe answers for parameters too."""
    status = 404 if param == "id" else 400
    return StripeFailure(f"No such {noun}: '{id}'", status=status, code="resource_missing", param=param)


def card_error(message: str, *, code: str, decline_code: str | None = None, **extra: Any) -> StripeFailure:
    """The bank said no: HTTP 402."""
    return StripeFailure(
        message, status=402, type="card_error", code=code, decline_code=decline_code, **extra
    )
