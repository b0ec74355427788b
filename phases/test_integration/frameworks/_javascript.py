"""Shared by vitest, jest and mocha."""

from __future__ import annotations

from phases.test_integration.framework import NamingSubject
from phases.test_integration.languages.javascript.dialect import Dialect
from phases.test_integration.languages.javascript.inserter import JavaScriptInserter
from phases.test_integration.plan.protocols import Inserter

LANGUAGES = ("javascript", "typescript")
_EXTENSIONS = (".ts", ".tsx", ".js", ".jsx")


def test_path(subject: NamingSubject) -> str:
    extension = subject.extension if subject.extension in _EXTENSIONS else ".js"
    return f"__tests__/security/{subject.module_pascal}.{subject.type_camel}.test{extension}"


def inserters(dialect: Dialect) -> dict[str, Inserter]:
    """Return the inserters by language: a JavaScript file takes no types unless it already has some."""
    return {"javascript": JavaScriptInserter(dialect, has_types=False)}


def configs(stem: str, *extensions: str) -> tuple[str, ...]:
    return tuple(f"{stem}.{extension}" for extension in extensions)
