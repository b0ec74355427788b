"""ExUnit: tests stand in modules that use a case, and in their describes."""

from __future__ import annotations

from tree_sitter import Tree

from phases.test_integration.document import Document
from phases.test_integration.elixir.layout import GRAMMAR, read_outline
from phases.test_integration.elixir.target import ExunitTarget
from phases.test_integration.framework import Framework, Signals, Subject
from phases.test_integration.syntax import Grammar


class ExunitInserter:
    """Reads and writes ExUnit's files."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> ExunitTarget:
        return ExunitTarget(read_outline(document, tree))


def _test_path(subject: Subject) -> str:
    return f"test/security/{subject.module_snake}_{subject.kind_snake}_test.exs"


FRAMEWORK = Framework(
    name="exunit",
    languages=("elixir",),
    test_dir="test/",
    test_path=_test_path,
    signals=Signals(packages={"hex": ("ex_unit",)}, config_files=("mix.exs", "test/test_helper.exs")),
    precedence=100,
    inserter=ExunitInserter(),
)
