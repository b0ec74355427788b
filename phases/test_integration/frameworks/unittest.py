"""unittest: tests are methods of classes that inherit `unittest.TestCase`."""

from __future__ import annotations

from tree_sitter import Tree

from phases.test_integration.framework import DetectionHints, Framework
from phases.test_integration.frameworks import _python
from phases.test_integration.languages.python.outline import GRAMMAR, read_outline
from phases.test_integration.languages.python.unittest_target import UnittestTarget
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar


class UnittestInserter:
    """Reads unittest files."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> UnittestTarget:
        return UnittestTarget(read_outline(document, tree))


# unittest is part of Python, so only packages that run or extend it show that a project uses it.
FRAMEWORK = Framework(
    name="unittest",
    languages=_python.LANGUAGES,
    test_dir="tests/",
    test_path=_python.test_path,
    detection_hints=DetectionHints(
        packages={"pypi": ("unittest2", "unittest-xml-reporting", "nose2", "testtools", "green")},
        config_files=("unittest.cfg", "nose2.cfg"),
    ),
    precedence=70,
    inserter=UnittestInserter(),
)
