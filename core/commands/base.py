"""The base of every management command of ours."""

from collections.abc import Callable
from typing import Any

from django.core.management import base

from core.commands.terminal import escape_controls


class _EscapedOutput(base.OutputWrapper):
    """Writes text with its controls escaped; a style of Django's is put around it afterwards."""

    def write(  # type: ignore[override]  # as Django's own class does
        self, msg: str = "", style_func: Callable[[str], str] | None = None, ending: str | None = None
    ) -> None:
        super().write(escape_controls(str(msg)), style_func, ending)


class BaseCommand(base.BaseCommand):
    """A command whose output, errors too, cannot steer the operator's terminal.

    Django replaces both streams while a command begins, so they are wrapped where they are set. Use
    `style_func` for colors: a style within the text would be escaped as well.
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
