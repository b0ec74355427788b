"""JavaScript's grammars, TypeScript's and JSX among them."""

from __future__ import annotations

import re

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Tree

from phases.test_integration.document import Document, Splice
from phases.test_integration.syntax import Grammar

# TypeScript's grammar does not know `typeof import('...')`, which mocks of vitest are full of.
_TYPEOF_IMPORT = re.compile(rb"""(?<=\btypeof )import\((?:'[^'\n]*'|"[^"\n]*")\)""")


class JavaScriptGrammar(Grammar):
    """A grammar that sees a name of as many bytes where `typeof import('...')` stands."""

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

# TSX takes plain JavaScript, JSX, and all of TypeScript but `<T>x`. It takes `a < b > (c)` for a call,
# which in JavaScript it is not.
GRAMMARS = (TSX, TYPESCRIPT, JAVASCRIPT)
JAVASCRIPT_FIRST = (JAVASCRIPT, TSX, TYPESCRIPT)
