"""Names a new test file by the conventions of its framework."""

from __future__ import annotations

from dataclasses import dataclass

from phases.test_integration.framework import Framework, NamingSubject


@dataclass(frozen=True, slots=True)
class NewTestFile:
    file_name: str
    path: str


def name_test_file(vulnerable_file: str, vulnerability_type: str, framework: Framework) -> NewTestFile:
    """Return the file for a test of `vulnerable_file` against a vulnerability type (`sql_injection`).

    Whatever the arguments contain, the path is relative, stays inside the project and is ASCII.
    """
    path = framework.test_path(NamingSubject.of(vulnerable_file, vulnerability_type))
    return NewTestFile(file_name=path.rpartition("/")[2], path=path)
