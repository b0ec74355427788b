"""Names the new file of a test, the way the framework's users would."""

from __future__ import annotations

from dataclasses import dataclass

from phases.test_integration.framework import Framework, Subject


@dataclass(frozen=True, slots=True)
class NewTestFile:
    file_name: str
    path: str


def name_test_file(vulnerable_file: str, kind: str, framework: Framework) -> NewTestFile:
    """The file for a test of `vulnerable_file` against flaws of this kind (`sql_injection`).

    Whatever the two contain, the path is relative, stays below the project and is plain ASCII.
    """
    path = framework.test_path(Subject.of(vulnerable_file, kind))
    return NewTestFile(file_name=path.rpartition("/")[2], path=path)
