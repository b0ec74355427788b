"""The one base of every error that a caller is told about."""


class DomainError(Exception):
    """Something the caller can act on: a stable code, a sentence that says what to do, an HTTP status.

    `fields` maps a field's name to what is wrong with it.
    """

    code = "INVALID_REQUEST"
    status = 400
    message = "The request cannot be carried out."
    retry_after: int | None = None  # seconds, where it is worth trying again

    def __init__(self, message: str | None = None, *, fields: dict[str, str] | None = None) -> None:
        self.message = message or self.message
        self.fields = fields
        super().__init__(self.message)


class NotFound(DomainError):
    """Not there, or not yours: the two are not told apart."""

    code, status, message = "NOT_FOUND", 404, "There is nothing here under that name."
