"""The one base of every error that a caller is told about."""

from collections.abc import Mapping
from typing import Any


def gettext_noop(text: str) -> str:
    """Django's, without Django: pure modules raise these errors."""
    return text


class DomainError(Exception):
    """Something the caller can act on: a stable code, a sentence that says what to do, an HTTP status.

    `fields` maps a field's name to what is wrong with it. `params` stand in the message by name; its
    `template` is what is translated where a page shows it (core/error_messages.py).
    """

    code = "INVALID_REQUEST"
    status = 400
    message = gettext_noop("The request cannot be carried out.")
    retry_after: int | None = None  # seconds, where it is worth trying again

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
    """Not there, or not yours: the two are not told apart."""

    code, status = "NOT_FOUND", 404
    message = gettext_noop("There is nothing here under that name.")
