"""What vitest, jest and mocha share."""

from __future__ import annotations

from phases.test_integration.framework import Subject

LANGUAGES = ("javascript", "typescript")
_EXTENSIONS = (".ts", ".tsx", ".js", ".jsx")


def test_path(subject: Subject) -> str:
    extension = subject.extension if subject.extension in _EXTENSIONS else ".js"
    return f"__tests__/security/{subject.module_pascal}.{subject.kind_camel}.test{extension}"


def configs(stem: str, *extensions: str) -> tuple[str, ...]:
    return tuple(f"{stem}.{extension}" for extension in extensions)
