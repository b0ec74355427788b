"""Tree-sitter grammars for JavaScript, TypeScript and JSX."""

from __future__ import annotations

import re

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Tree

from phases.test_integration.read.document import Document, Splice
from phases.test_integration.read.syntax import Grammar

# TypeScript's grammar does not support `typeof import('...')`, which Vitest mocks often use.
_TYPEOF_IMPORT = re.compile(rb"""(?<=\btypeof )import\((?:'[^'\n]*'|"[^"\n]*")\)""")


class JavaScriptGrammar(Grammar):
    """Parses with every `typeof import('...')` replaced by an identifier of the same length."""

    def parse(self, document: Document) -> Tree:
        return super().parse(_masked(document))

    def parse_again(self, tree: Tree, document: Document, splices: tuple[Splice, ...], old: Document) -> Tree:
        return super().parse_again(tree, _masked(document), splices, old)


def _masked(document: Document) -> Document:
    if b"typeof import(" not in document.content:
        return document
    return Document(_TYPEOF_IMPORT.sub(lambda found: b"_" * len(found[0]), document.content))


TSX = JavaScriptGrammar(tree_sitter_typescript.language_tsx())
TYPESCRIPT = JavaScriptGrammar(tree_sitter_typescript.language_typescript())
JAVASCRIPT = JavaScriptGrammar(tree_sitter_javascript.language())

# TSX parses plain JavaScript, JSX, and all of TypeScript but `<T>x`. It reads `a < b > (c)` as a call,
# which it is not in JavaScript.
GRAMMARS = (TSX, TYPESCRIPT, JAVASCRIPT)
JAVASCRIPT_FIRST = (JAVASCRIPT, TSX, TYPESCRIPT)
