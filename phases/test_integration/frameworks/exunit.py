"""ExUnit: tests are in modules that `use ExUnit.Case`, and in their `describe` blocks."""

from __future__ import annotations

from tree_sitter import Tree

from phases.test_integration.framework import DetectionHints, Framework, NamingSubject
from phases.test_integration.languages.elixir.outline import GRAMMAR, read_outline
from phases.test_integration.languages.elixir.target import ExunitTarget
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar


class ExunitInserter:
    """Reads ExUnit files."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> ExunitTarget:
        return ExunitTarget(read_outline(document, tree))


def _test_path(subject: NamingSubject) -> str:
    return f"test/security/{subject.module_snake}_{subject.type_snake}_test.exs"


FRAMEWORK = Framework(
    name="exunit",
    languages=("elixir",),
    test_dir="test/",
    test_path=_test_path,
    detection_hints=DetectionHints(
        packages={"hex": ("ex_unit",)}, config_files=("mix.exs", "test/test_helper.exs")
    ),
    precedence=100,
    inserter=ExunitInserter(),
)
