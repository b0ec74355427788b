"""unittest: tests are methods of classes that inherit `unittest.TestCase`."""

from __future__ import annotations

from tree_sitter import Tree

from phases.test_integration.document import Document
from phases.test_integration.framework import Framework, Signals
from phases.test_integration.frameworks import _python
from phases.test_integration.python.layout import GRAMMAR, read_layout
from phases.test_integration.python.unittest_target import UnittestTarget
from phases.test_integration.syntax import Grammar


class UnittestInserter:
    """Reads and writes unittest's files."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> UnittestTarget:
        return UnittestTarget(read_layout(document, tree))


# unittest comes with Python, so only what runs or extends it shows that a project uses it.
FRAMEWORK = Framework(
    name="unittest",
    languages=_python.LANGUAGES,
    test_dir="tests/",
    test_path=_python.test_path,
    signals=Signals(
        packages={"pypi": ("unittest2", "unittest-xml-reporting", "nose2", "testtools", "green")},
        config_files=("unittest.cfg", "nose2.cfg"),
    ),
    precedence=70,
    inserter=UnittestInserter(),
)
