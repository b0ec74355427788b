"""Go's testing package: tests are functions that take `*testing.T`, or methods of testify suites."""

from __future__ import annotations

import re

from tree_sitter import Tree

from phases.test_integration.framework import DetectionHints, Framework, NamingSubject
from phases.test_integration.languages.golang.outline import GRAMMAR, read_outline
from phases.test_integration.languages.golang.target import GoTarget
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar


def _test_path(subject: NamingSubject) -> str:
    """Return a path in the package's own directory: Go collects tests nowhere else."""
    package = [
        part for part in subject.directories if part != ".." and re.fullmatch(r"[\w.-]+", part, re.ASCII)
    ]
    return "/".join((*package, f"{subject.module_snake}_{subject.type_snake}_test.go"))


class GoInserter:
    """Reads the files of `go test`."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> GoTarget:
        return GoTarget(read_outline(document, tree))


FRAMEWORK = Framework(
    name="go",
    languages=("go",),
    test_dir="./",
    test_path=_test_path,
    detection_hints=DetectionHints(packages={"go": ("testing",)}, config_files=("go.mod",)),
    precedence=110,
    inserter=GoInserter(),
)
