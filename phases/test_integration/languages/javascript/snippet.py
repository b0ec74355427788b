"""A red test's JavaScript code, parsed and classified: a body, or complete tests with helpers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tree_sitter import Node, Tree

from phases.test_integration.errors import InvalidTestCode, InvalidValue
from phases.test_integration.languages.javascript import syntax_rules
from phases.test_integration.languages.javascript.bindings import (
    DECLARATIONS,
    Import,
    declared,
    pattern_names,
    read_import,
    text_of,
)
from phases.test_integration.languages.javascript.calls import UNKNOWN, Call, Names, read_call
from phases.test_integration.languages.javascript.dialect import (
    FOCUSED,
    FRAMEWORK_MODULES,
    KNOWN,
    SKIPPED,
)
from phases.test_integration.languages.javascript.grammars import GRAMMARS, JAVASCRIPT
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar, errors, rows_starting_in

_FUNCTIONS = {"function_expression", "function_declaration", "method_definition", "generator_function"} | {
    "generator_function_declaration",
    "class_declaration",
    "class",
}
_FENCE = re.compile(r"```\w*")
_MAX_CHAIN_LENGTH = 12
_MAX_NODES = 40_000
_MOCKS = {"vi.mock", "vi.unmock", "vitest.mock", "jest.mock", "jest.unmock"}
_LITERALS = {"template_string", "string", "regex"}


@dataclass(frozen=True)
class Snippet:
    """Code with `\\n` endings. `names` maps its imported names to the framework's."""

    code: str
    document: Document
    tree: Tree
    grammar: Grammar
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, code: str) -> Snippet:
        """Raises InvalidTestCode for code that is not valid, or has no statement."""
        lines = re.sub(r"\r\n?", "\n", code).split("\n")
        while lines and not lines[0].strip():
            del lines[0]
        while lines and not lines[-1].strip():
            del lines[-1]
        if len(lines) > 2 and _FENCE.fullmatch(lines[0].strip()) and lines[-1].strip() == "```":
            lines = lines[1:-1]  # a Markdown fence around the code is valid JavaScript without effect
        text = "\n".join(lines).rstrip()
        try:
            document = Document.of(text)
        except InvalidValue as error:
            raise InvalidTestCode(str(error)) from None
        for grammar in GRAMMARS:
            tree = grammar.parse(document)
            if not errors(tree):
                break
        else:
            line = errors(tree)[0].start_point.row + 1
            raise InvalidTestCode(f"testCode is not valid JavaScript or TypeScript: line {line}")
        statements = [each for each in tree.root_node.named_children if each.type != "comment"]
        if not statements:
            raise InvalidTestCode("testCode has no statement")
        if any(each.type == "export_statement" for each in statements):
            raise InvalidTestCode("testCode exports something: a test in a file cannot")
        if text.startswith("#!") or text.endswith("\\"):
            raise InvalidTestCode("testCode is not a test's code")
        snippet = cls(text, document, tree, grammar)
        if tree.root_node.descendant_count > _MAX_NODES:
            raise InvalidTestCode(f"testCode is too long: it has more than {_MAX_NODES} tokens")
        violation = syntax_rules.find_violation(document, tree.root_node)
        if violation:
            raise InvalidTestCode(f"testCode is not valid: {violation}")
        for found in snippet.imports:
            for local, imported in found.names.items():
                if found.source in FRAMEWORK_MODULES:
                    snippet.names[local] = ("*",) if imported in ("*", "default") else (imported,)
        return snippet

    @cached_property
    def statements(self) -> list[Node]:
        return [each for each in self.tree.root_node.named_children if each.type != "comment"]

    @cached_property
    def imports(self) -> list[Import]:
        found = [each for node in self.statements for each in read_import(self.document, node)]
        return [
            each for each in found if each.node.type == "import_statement" or each.source in FRAMEWORK_MODULES
        ]

    @cached_property
    def calls(self) -> list[Call]:
        """Return the top-level tests and groups; none where the code is a body."""
        names = Names()
        names.update(self.names)
        found = (read_call(self.document, each, names) for each in self.statements)
        return [each for each in found if each and UNKNOWN not in each.modifiers]

    @property
    def is_body(self) -> bool:
        return not self.calls

    @cached_property
    def helpers(self) -> list[Node]:
        """Return the statements beside complete tests, without imports: they need a scope of their own."""
        own = {each.statement.id for each in self.calls} | {each.node.id for each in self.imports}
        return [each for each in self.statements if each.id not in own and each.type != "empty_statement"]

    @cached_property
    def nodes(self) -> list[Node]:
        return [node for node, _ in self._nodes_with_parents]

    @cached_property
    def _nodes_with_parents(self) -> list[tuple[Node, str]]:
        """Return every node with its parent's type; `node.parent` is slow."""
        found: list[tuple[Node, str]] = []
        skipped = {each.node.id for each in self.imports}
        stack = [(self.tree.root_node, "")]
        while stack:
            node, parent = stack.pop()
            found.append((node, parent))
            if not (skipped and node.id in skipped):
                stack += [(each, node.type) for each in reversed(node.named_children)]
        return found

    @cached_property
    def called(self) -> set[str]:
        """Return names that are called, or whose methods are called."""
        return {
            text_of(self.document, node)
            for node, parent in self._nodes_with_parents
            if node.type == "identifier" and parent in ("call_expression", "member_expression")
        }

    @cached_property
    def bound(self) -> set[str]:
        """Return every name that the code binds at any depth, without imports."""
        names: set[str] = set()
        for node in self.nodes:
            if node.type == "import_statement":
                continue
            if node.type in ("variable_declarator", *DECLARATIONS, "class", "function_expression"):
                names.update(pattern_names(self.document, node.child_by_field_name("name")))
            elif node.type == "formal_parameters":
                names.update(pattern_names(self.document, node))
            elif node.type in ("arrow_function", "catch_clause"):
                names.update(pattern_names(self.document, node.child_by_field_name("parameter")))
            elif node.type == "for_in_statement" and node.child_by_field_name("kind"):
                names.update(pattern_names(self.document, node.child_by_field_name("left")))
        return names

    @cached_property
    def top_bound(self) -> set[str]:
        return {name for each in self.helpers for name in declared(self.document, each)}

    @cached_property
    def free(self) -> dict[str, list[Node]]:
        """Map names that are read and not bound in the code, imports aside, to the nodes that read them."""
        found: dict[str, list[Node]] = {}
        for node, parent in self._nodes_with_parents:
            if node.type not in ("identifier", "shorthand_property_identifier"):
                continue
            name = text_of(self.document, node)
            is_tag = parent.startswith("jsx_") and name[:1].islower()
            if name not in self.bound and not is_tag and name not in ("undefined", "arguments"):
                found.setdefault(name, []).append(node)
        return found

    @cached_property
    def awaits(self) -> bool:
        """Return whether the body itself awaits, not a function in it."""
        return any(self._outside_functions({"await_expression", "for_await"}))

    @cached_property
    def mocks(self) -> bool:
        """Return whether the code mocks a module, which affects the whole file."""
        calls = (node for node in self.nodes if node.type == "call_expression")
        functions = (node.child_by_field_name("function") for node in calls)
        return any(
            text_of(self.document, each) in _MOCKS
            for each in functions
            if each and each.end_byte - each.start_byte < 20
        )

    @cached_property
    def is_typescript(self) -> bool:
        return bool(errors(JAVASCRIPT.parse(self.document)))

    @cached_property
    def only_functions(self) -> Node | None:
        """Return the last function of code that has only functions, which would test nothing as a body."""
        own = {each.node.id for each in self.imports}
        rest = [each for each in self.statements if each.id not in own]
        if rest and all(each.type == "function_declaration" for each in rest):
            return rest[-1]
        return None

    @cached_property
    def unfocused(self) -> list[tuple[int, int, str]]:
        """Return the edits that remove `.only` and `.skip`, so that this test and all others run."""
        edits = {
            edit for node in self.nodes if node.type == "call_expression" for edit in self._unfocused(node)
        }
        return sorted(edits)

    def _unfocused(self, call: Node) -> list[tuple[int, int, str]]:
        """Return the edits that remove focus and skip from one call of a test or group."""
        edits = []
        inner = call.child_by_field_name("function")
        for _ in range(_MAX_CHAIN_LENGTH):
            if inner is None or inner.type not in ("member_expression", "call_expression"):
                break
            name = inner.child_by_field_name("property")
            below = inner.child_by_field_name("object") or inner.child_by_field_name("function")
            if below and name and text_of(self.document, name) in ("only", "skip"):
                edits.append((below.end_byte, name.end_byte, ""))
            inner = below
        if inner is None or inner.type != "identifier":
            return []
        root = text_of(self.document, inner)
        if root in self.bound or root not in KNOWN | self.names.keys():
            return []
        edits += self._switched_off(call)
        plain = SKIPPED.get(root) or FOCUSED.get(root)
        return [*edits, (inner.start_byte, inner.end_byte, plain)] if plain else edits

    def _switched_off(self, call: Node) -> Iterator[tuple[int, int, str]]:
        """Vitest: `it('...', { only: true }, ...)`."""
        arguments = call.child_by_field_name("arguments")
        options = (
            [each for each in arguments.named_children[1:3] if each.type == "object"] if arguments else []
        )
        for pair in (pair for each in options for pair in each.named_children if pair.type == "pair"):
            key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if key and value and value.type == "true" and text_of(self.document, key) in ("only", "skip"):
                yield value.start_byte, value.end_byte, "false"

    @cached_property
    def uses_this(self) -> bool:
        return any(self._outside_functions({"this"}, through_arrows=True))

    def _outside_functions(self, types: set[str], *, through_arrows: bool = False) -> list[Node]:
        skipped = _FUNCTIONS if through_arrows else _FUNCTIONS | {"arrow_function"}
        found, stack = [], [self.tree.root_node]
        while stack:
            node = stack.pop()
            if node.type in types:
                found.append(node)
            if node.type == "for_in_statement" and any(each.type == "await" for each in node.children):
                found += [node] if "for_await" in types else []
            stack += [each for each in node.named_children if each.type not in skipped]
        return found

    def fixed_rows(self) -> set[int]:
        """Return the 0-based rows that start inside a literal: their indentation must stay."""
        literals = [node for node in self.nodes if node.type in _LITERALS]
        return rows_starting_in(sorted(literals, key=lambda node: node.start_byte))
