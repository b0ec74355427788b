"""rspec: tests are examples in groups of blocks."""

from __future__ import annotations

from tree_sitter import Tree

from phases.test_integration.document import Document
from phases.test_integration.framework import Framework, Signals, Subject
from phases.test_integration.ruby.dialect import RSPEC
from phases.test_integration.ruby.layout import GRAMMAR
from phases.test_integration.ruby.reader import read_layout
from phases.test_integration.ruby.target import RubyTarget
from phases.test_integration.syntax import Grammar


class RspecInserter:
    """Reads and writes rspec's files."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> RubyTarget:
        return RubyTarget(read_layout(document, tree, RSPEC), RSPEC)


def _test_path(subject: Subject) -> str:
    return f"spec/security/{subject.module_snake}_{subject.kind_snake}_spec.rb"


FRAMEWORK = Framework(
    name="rspec",
    languages=("ruby",),
    test_dir="spec/",
    test_path=_test_path,
    signals=Signals(
        packages={"gem": ("rspec", "rspec-rails", "rspec-core")},
        config_files=(".rspec", "spec/spec_helper.rb", "spec/rails_helper.rb"),
    ),
    precedence=40,
    inserter=RspecInserter(),
)
