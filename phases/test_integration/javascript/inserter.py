"""What every framework of JavaScript gives to the engine."""

from __future__ import annotations

from dataclasses import dataclass

from tree_sitter import Tree

from phases.test_integration.document import Document
from phases.test_integration.javascript.dialect import Dialect
from phases.test_integration.javascript.grammars import GRAMMARS, JAVASCRIPT_FIRST
from phases.test_integration.javascript.reader import read_layout
from phases.test_integration.javascript.target import JavaScriptTarget
from phases.test_integration.syntax import Grammar


@dataclass(frozen=True, slots=True)
class JavaScriptInserter:
    """Reads and writes the files of one framework; `has_types` for those that may be TypeScript."""

    dialect: Dialect
    has_types: bool = True

    @property
    def grammars(self) -> tuple[Grammar, ...]:
        return GRAMMARS if self.has_types else JAVASCRIPT_FIRST

    def read(self, document: Document, tree: Tree) -> JavaScriptTarget:
        return JavaScriptTarget(read_layout(document, tree, self.dialect, has_types=self.has_types))
