"""Shared by pytest and unittest."""

from __future__ import annotations

from phases.test_integration.framework import NamingSubject

LANGUAGES = ("python",)


def test_path(subject: NamingSubject) -> str:
    return f"tests/security/test_{subject.type_snake}_{subject.module_snake}.py"
