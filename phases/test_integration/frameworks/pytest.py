"""pytest: tests are functions, or methods of classes that pytest collects."""

from __future__ import annotations

from tree_sitter import Tree

from phases.test_integration.framework import DetectionHints, Framework
from phases.test_integration.frameworks import _python
from phases.test_integration.languages.python.outline import GRAMMAR, read_outline
from phases.test_integration.languages.python.pytest_target import PytestTarget
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar


class PytestInserter:
    """Reads pytest files."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> PytestTarget:
        return PytestTarget(read_outline(document, tree))


FRAMEWORK = Framework(
    name="pytest",
    languages=_python.LANGUAGES,
    test_dir="tests/",
    test_path=_python.test_path,
    detection_hints=DetectionHints(
        packages={"pypi": ("pytest",)},
        implied_by={"pypi": ("pytest-",)},
        config_files=("pytest.ini", ".pytest.ini", "pytest.toml", "conftest.py"),
    ),
    precedence=60,
    inserter=PytestInserter(),
)
