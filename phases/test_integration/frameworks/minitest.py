"""Minitest: tests are methods of classes, Rails' `test` blocks, or examples in `describe`."""

from __future__ import annotations

from tree_sitter import Tree

from phases.test_integration.framework import DetectionHints, Framework, NamingSubject
from phases.test_integration.languages.ruby.dialect import MINITEST
from phases.test_integration.languages.ruby.outline import GRAMMAR
from phases.test_integration.languages.ruby.reader import read_outline
from phases.test_integration.languages.ruby.target import RubyTarget
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar


class MinitestInserter:
    """Reads minitest files."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> RubyTarget:
        return RubyTarget(read_outline(document, tree, MINITEST), MINITEST)


def _test_path(subject: NamingSubject) -> str:
    return f"test/security/{subject.module_snake}_{subject.type_snake}_test.rb"


FRAMEWORK = Framework(
    name="minitest",
    languages=("ruby",),
    test_dir="test/",
    test_path=_test_path,
    detection_hints=DetectionHints(
        packages={"gem": ("minitest",)},
        implied_by={"gem": ("minitest-",)},
        config_files=("test/test_helper.rb",),
    ),
    precedence=50,
    inserter=MinitestInserter(),
)
