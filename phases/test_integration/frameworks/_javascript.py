"""What vitest, jest and mocha share."""

from __future__ import annotations

from phases.test_integration.framework import Subject
from phases.test_integration.insertion import Inserter
from phases.test_integration.javascript.dialect import Dialect
from phases.test_integration.javascript.inserter import JavaScriptInserter

LANGUAGES = ("javascript", "typescript")
_EXTENSIONS = (".ts", ".tsx", ".js", ".jsx")


def test_path(subject: Subject) -> str:
    extension = subject.extension if subject.extension in _EXTENSIONS else ".js"
    return f"__tests__/security/{subject.module_pascal}.{subject.kind_camel}.test{extension}"


def inserters(dialect: Dialect) -> dict[str, Inserter]:
    """Plain JavaScript takes no types, unless the file has some."""
    return {"javascript": JavaScriptInserter(dialect, has_types=False)}


def configs(stem: str, *extensions: str) -> tuple[str, ...]:
    return tuple(f"{stem}.{extension}" for extension in extensions)
