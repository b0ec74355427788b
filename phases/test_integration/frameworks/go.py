"""Go's own testing: tests are functions that take `*testing.T`, or methods of testify's suites."""

from __future__ import annotations

import re

from tree_sitter import Tree

from phases.test_integration.document import Document
from phases.test_integration.framework import Framework, Signals, Subject
from phases.test_integration.golang.layout import GRAMMAR, read_layout
from phases.test_integration.golang.target import GoTarget
from phases.test_integration.syntax import Grammar


def _test_path(subject: Subject) -> str:
    """In the package's own directory: Go finds a package's tests nowhere else."""
    package = [
        part for part in subject.directories if part != ".." and re.fullmatch(r"[\w.-]+", part, re.ASCII)
    ]
    return "/".join((*package, f"{subject.module_snake}_{subject.kind_snake}_test.go"))


class GoInserter:
    """Reads and writes the files of `go test`."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> GoTarget:
        return GoTarget(read_layout(document, tree))


FRAMEWORK = Framework(
    name="go",
    languages=("go",),
    test_dir="./",
    test_path=_test_path,
    signals=Signals(packages={"go": ("testing",)}, config_files=("go.mod",)),
    precedence=110,
    inserter=GoInserter(),
)
