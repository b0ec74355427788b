"""minitest: tests are methods of classes, Rails' `test` blocks, or examples in `describe`."""

from __future__ import annotations

from tree_sitter import Tree

from phases.test_integration.document import Document
from phases.test_integration.framework import Framework, Signals, Subject
from phases.test_integration.ruby.dialect import MINITEST
from phases.test_integration.ruby.layout import GRAMMAR
from phases.test_integration.ruby.reader import read_layout
from phases.test_integration.ruby.target import RubyTarget
from phases.test_integration.syntax import Grammar


class MinitestInserter:
    """Reads and writes minitest's files."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> RubyTarget:
        return RubyTarget(read_layout(document, tree, MINITEST), MINITEST)


def _test_path(subject: Subject) -> str:
    return f"test/security/{subject.module_snake}_{subject.kind_snake}_test.rb"


FRAMEWORK = Framework(
    name="minitest",
    languages=("ruby",),
    test_dir="test/",
    test_path=_test_path,
    signals=Signals(
        packages={"gem": ("minitest",)},
        implied_by={"gem": ("minitest-",)},
        config_files=("test/test_helper.rb",),
    ),
    precedence=50,
    inserter=MinitestInserter(),
)
