"""What pytest and unittest share."""

from __future__ import annotations

from phases.test_integration.framework import Subject

LANGUAGES = ("python",)


def test_path(subject: Subject) -> str:
    return f"tests/security/test_{subject.kind_snake}_{subject.module_snake}.py"
