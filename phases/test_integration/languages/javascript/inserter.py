"""The inserter of all JavaScript frameworks."""

from __future__ import annotations

from dataclasses import dataclass

from tree_sitter import Tree

from phases.test_integration.languages.javascript.dialect import Dialect
from phases.test_integration.languages.javascript.grammars import GRAMMARS, JAVASCRIPT_FIRST
from phases.test_integration.languages.javascript.reader import read_outline
from phases.test_integration.languages.javascript.target import JavaScriptTarget
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar


@dataclass(frozen=True, slots=True)
class JavaScriptInserter:
    """Reads the files of one framework; with `has_types` they may be TypeScript."""

    dialect: Dialect
    has_types: bool = True

    @property
    def grammars(self) -> tuple[Grammar, ...]:
        return GRAMMARS if self.has_types else JAVASCRIPT_FIRST

    def read(self, document: Document, tree: Tree) -> JavaScriptTarget:
        return JavaScriptTarget(read_outline(document, tree, self.dialect, has_types=self.has_types))
