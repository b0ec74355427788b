"""The base class of every error that is reported to a caller."""

from collections.abc import Mapping
from typing import Any


def gettext_noop(text: str) -> str:
    """Mark a text for translation, like Django's function, without importing Django: pure modules use it."""
    return text


class DomainError(Exception):
    """An error that the caller can act on, with a stable code, a message and an HTTP status.

    `fields` maps a field's name to what is wrong with it. `params` are formatted into the message;
    `template`, the message without them, is what pages translate (core/error_messages.py).
    """

    code = "INVALID_REQUEST"
    status = 400
    message = gettext_noop("The request cannot be processed.")
    retry_after: int | None = None  # in seconds, if a retry makes sense

    params: Mapping[str, Any] = {}

    def __init__(
        self,
        message: str | None = None,
        *,
        fields: dict[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        self.template = message or type(self).message
        self.params = params or self.params
        self.message = self.template % self.params if self.params else self.template
        self.fields = fields
        super().__init__(self.message)


class NotFound(DomainError):
    """The object does not exist, or belongs to another customer. Callers cannot tell which."""

    code, status = "NOT_FOUND", 404
    message = gettext_noop("There is nothing here under that name.")
