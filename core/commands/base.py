"""Base class of this project's management commands."""

from collections.abc import Callable
from typing import Any

from django.core.management import base

from core.commands.terminal import escape_controls


class _EscapedOutput(base.OutputWrapper):
    """Escapes control characters in text. Django's styles are applied afterwards."""

    def write(  # type: ignore[override]  # as Django's own class does
        self, msg: str = "", style_func: Callable[[str], str] | None = None, ending: str | None = None
    ) -> None:
        super().write(escape_controls(str(msg)), style_func, ending)


class BaseCommand(base.BaseCommand):
    """A command whose output and errors cannot send control sequences to the operator's terminal.

    Django replaces both streams when a command starts, so they are wrapped in setters. Pass `style_func` for
    colors: a style inside the text would be escaped as well.
    """

    @property
    def stdout(self) -> Any:
        return self._stdout

    @stdout.setter
    def stdout(self, output: Any) -> None:
        self._stdout = _EscapedOutput(output)

    @property
    def stderr(self) -> Any:
        return self._stderr

    @stderr.setter
    def stderr(self, output: Any) -> None:
        self._stderr = _EscapedOutput(output)
