"""pytest: tests are functions, or methods of classes that pytest collects."""

from __future__ import annotations

from tree_sitter import Tree

from phases.test_integration.document import Document
from phases.test_integration.framework import Framework, Signals
from phases.test_integration.frameworks import _python
from phases.test_integration.python.layout import GRAMMAR, read_layout
from phases.test_integration.python.pytest_target import PytestTarget
from phases.test_integration.syntax import Grammar


class PytestInserter:
    """Reads and writes pytest's files."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> PytestTarget:
        return PytestTarget(read_layout(document, tree))


FRAMEWORK = Framework(
    name="pytest",
    languages=_python.LANGUAGES,
    test_dir="tests/",
    test_path=_python.test_path,
    signals=Signals(
        packages={"pypi": ("pytest",)},
        implied_by={"pypi": ("pytest-",)},
        config_files=("pytest.ini", ".pytest.ini", "pytest.toml", "conftest.py"),
    ),
    precedence=60,
    inserter=PytestInserter(),
)
