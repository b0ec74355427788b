"""RSpec: tests are examples in example groups."""

from __future__ import annotations

from tree_sitter import Tree

from phases.test_integration.framework import DetectionHints, Framework, NamingSubject
from phases.test_integration.languages.ruby.dialect import RSPEC
from phases.test_integration.languages.ruby.outline import GRAMMAR
from phases.test_integration.languages.ruby.reader import read_outline
from phases.test_integration.languages.ruby.target import RubyTarget
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar


class RspecInserter:
    """Reads RSpec files."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> RubyTarget:
        return RubyTarget(read_outline(document, tree, RSPEC), RSPEC)


def _test_path(subject: NamingSubject) -> str:
    return f"spec/security/{subject.module_snake}_{subject.type_snake}_spec.rb"


FRAMEWORK = Framework(
    name="rspec",
    languages=("ruby",),
    test_dir="spec/",
    test_path=_test_path,
    detection_hints=DetectionHints(
        packages={"gem": ("rspec", "rspec-rails", "rspec-core")},
        config_files=(".rspec", "spec/spec_helper.rb", "spec/rails_helper.rb"),
    ),
    precedence=40,
    inserter=RspecInserter(),
)
