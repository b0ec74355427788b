"""Reads the outline of a Ruby test file from its syntax tree."""

from __future__ import annotations

import re

from tree_sitter import Node, Tree

from phases.test_integration.errors import TargetRejected
from phases.test_integration.languages.ruby.dialect import HOOKS, VALUES, Dialect
from phases.test_integration.languages.ruby.outline import Group, Member, Outline, Test, text_of
from phases.test_integration.read.document import Document

_TRANSPARENT = {"ERROR", "parenthesized_statements", "body_statement", "block_body"}
_CONDITIONAL = {"if", "unless", "case", "when", "in_clause", "else", "elsif", "then", "begin", "while", "for"}
_CONDITIONAL |= {"until", "do", "ensure", "rescue", "if_modifier", "unless_modifier", "while_modifier"}
_CONDITIONAL |= {"rescue_modifier", "do_block", "block", "argument_list", "assignment", "case_match"}
_SKIPPING = {"skip", "pending", "if", "unless"}
_IVAR = re.compile(r"@\w+")
_NO = {"false", "nil"}
MAX_STATEMENTS = 40_000  # outside tests, in all groups
MAX_DEPTH = 100  # nested groups; deeper ones are not read
MAX_GROUP_PATH_LENGTH = 300  # characters of a group's path; nesting in a hostile file is unlimited


class _Reader:
    """Builds the outline of one file."""

    def __init__(self, document: Document, root: Node, dialect: Dialect) -> None:
        self._document = document
        self._dialect = dialect
        self.outline = Outline(document, root)

    def read(self, root: Node) -> Outline:
        """Read all groups in file order, with an explicit stack."""
        stack = [Group(root, "root")]
        count = 0
        while stack:
            group = stack.pop()
            group.depth = group.parent.depth + 1 if group.parent else 0
            self.outline.groups.append(group)
            if group.depth == MAX_DEPTH:
                continue
            statements = self._statements(group)
            count += len(statements)
            if count > MAX_STATEMENTS:
                raise TargetRejected(f"the file has more than {MAX_STATEMENTS} statements outside of tests")
            for node in statements:
                if node.type not in ("comment", "heredoc_body"):
                    group.members.append(self._member(node, group))
            stack.extend(member.group for member in reversed(group.members) if member.group)
        return self.outline

    def _statements(self, group: Group) -> list[Node]:
        node = group.block
        if node is None:
            return []
        if group.kind in ("root", "other"):
            return node.named_children
        body = node.child_by_field_name("body")
        return body.named_children if body is not None and body.type != "comment" else []

    def _member(self, node: Node, group: Group) -> Member:
        """Classify a statement of a group."""
        if node.type in ("method", "singleton_method"):
            return self._method(node, group)
        if node.type in ("class", "module"):
            return self._type(node, group)
        if node.type == "call":
            return self._call(node, group)
        if node.type == "assignment":
            left = node.child_by_field_name("left")
            group.bound.add(self._text(left) if left else "")
        if node.type == "identifier":
            word = self._text(node)
            if word in self._dialect.focused:
                self.outline.focused.append(node)
            return Member(node, word)
        if node.type in _TRANSPARENT or node.type in _CONDITIONAL:
            return self._other(node, group, is_disabled=node.type in _CONDITIONAL)
        return Member(node)

    def _method(self, node: Node, group: Group) -> Member:
        name_node = node.child_by_field_name("name")
        name = self._text(name_node) if name_node else ""
        group.bound.add(name)
        is_test = self._dialect.has_methods and node.type == "method" and name.startswith("test_")
        if name == "setup":
            self._disable_if_skipped(node.child_by_field_name("body"), group)
        if not is_test:
            return Member(node, "def")
        test = Test(node, "def", name, node.child_by_field_name("body"))
        self._found_test(group)
        return Member(node, "def", test)

    def _type(self, node: Node, group: Group) -> Member:
        name_node, base = node.child_by_field_name("name"), node.child_by_field_name("superclass")
        name = self._text(name_node) if name_node else ""
        inner = Group(
            node,
            node.type,
            name=name,
            path=_path(group.path, "::", name),
            base=self._text(base).lstrip("<").strip() if base else "",
            parent=group,
            is_disabled=group.is_disabled,
        )
        return Member(node, node.type, group=inner)

    def _call(self, node: Node, group: Group) -> Member:
        """Classify a call: hook, group, test, shared example, or code that may contain tests."""
        method, receiver = node.child_by_field_name("method"), node.child_by_field_name("receiver")
        word = self._text(method) if method else ""
        owner = self._text(receiver) if receiver and receiver.type in ("constant", "scope_resolution") else ""
        is_ours = receiver is None or owner in ("RSpec", "::RSpec")
        block = node.child_by_field_name("block")
        known = self._dialect
        if not is_ours:
            return self._other(node, group, is_disabled=True) if block else Member(node)
        if word in VALUES or word in HOOKS:
            self._bind(node, word, group)
            return Member(node, word)
        if block is None:
            return self._call_without_block(node, word, group)
        if word == "define_method" and known.has_methods:
            return self._defined_method(node, group, block)
        if word in known.groups or (word in known.skipped | known.focused and self._is_group_word(word)):
            return Member(node, word, group=self._group(node, word, group, bool(owner)))
        if word in known.shared:
            return Member(node, word, group=self._group(node, word, group, bool(owner)))
        if word in known.tests or word in known.skipped or word in known.focused:
            return Member(node, word, self._test(node, word, group, block))
        if word in known.uses:
            self._found_test(group)
            return Member(node, word, Test(node, word, "", None, is_plain=False))
        return self._other(node, group, is_disabled=True)

    def _defined_method(self, node: Node, group: Group, block: Node) -> Member:
        first = self._first_argument(node)
        name = self._text(first).strip(":\"'") if first else ""
        group.bound.add(name)
        if not name.startswith("test_"):
            return Member(node, "def")
        self._found_test(group)
        return Member(node, "def", Test(node, "def", name, block.child_by_field_name("body")))

    def _call_without_block(self, node: Node, word: str, group: Group) -> Member:
        arguments = node.child_by_field_name("arguments")
        is_use = word in self._dialect.uses
        if is_use or (word in self._dialect.tests and self._passes_block(arguments)):
            self._found_test(group)
            return Member(node, word, Test(node, word, "", None, is_plain=False))
        if arguments is not None and any(each.type == "method" for each in arguments.named_children):
            return self._other(node, group, is_disabled=True)
        return Member(node, word)

    def _passes_block(self, arguments: Node | None) -> bool:
        return arguments is not None and any(
            each.type == "block_argument" for each in arguments.named_children
        )

    def _is_group_word(self, word: str) -> bool:
        return word[1:] in self._dialect.groups

    def _group(self, node: Node, word: str, group: Group, has_receiver: bool) -> Group:
        """Return the group that a call defines; focused, skipped and shared groups are disabled."""
        first = self._first_argument(node)
        name = self._text(first) if first else ""
        flags = self._metadata(node)
        title = _title(name)
        is_shared = word in self._dialect.shared
        is_focused = word in self._dialect.focused or "focus" in flags
        if is_focused:
            self.outline.focused.append(node)
        return Group(
            node,
            "block",
            name=name,
            path=_path(group.path, " ", title),
            keyword=word,
            parent=group,
            is_disabled=group.is_disabled
            or is_shared
            or is_focused
            or word in self._dialect.skipped
            or bool(_SKIPPING & flags),
            has_receiver=has_receiver,
            is_shared=is_shared,
        )

    def _test(self, node: Node, word: str, group: Group, block: Node) -> Test:
        first = self._first_argument(node)
        flags = self._metadata(node)
        if word in self._dialect.focused or "focus" in flags:
            self.outline.focused.append(node)
        is_plain = word in self._dialect.tests and not flags & (_SKIPPING | {"focus"})
        self._found_test(group)
        return Test(
            node, word, self._text(first) if first else "", block.child_by_field_name("body"), is_plain
        )

    def _other(self, node: Node, group: Group, *, is_disabled: bool) -> Member:
        inner = Group(
            node,
            "other",
            path=group.path,
            parent=group,
            is_disabled=group.is_disabled or is_disabled,
            # Conditional code binds its names in the group around it.
            bound=group.bound,
        )
        return Member(node, node.type, group=inner)

    def _found_test(self, group: Group) -> None:
        enclosing: Group | None = group
        # Stops at a shared group, whose tests run only where it
        # is included, and where the parents are marked already.
        while enclosing is not None and not enclosing.is_shared and not enclosing.holds_tests:
            enclosing.holds_tests = True
            enclosing = enclosing.parent

    def _bind(self, node: Node, word: str, group: Group) -> None:
        if word in VALUES:
            group.bound.add("subject" if word.startswith("subject") else "")
            first = self._first_argument(node)
            if first is not None:
                group.bound.add(self._text(first).strip(":\"'"))
            return
        group.bound.update(_IVAR.findall(self._text(node)))
        block = node.child_by_field_name("block")
        self._disable_if_skipped(block.child_by_field_name("body") if block else None, group)

    def _disable_if_skipped(self, body: Node | None, group: Group) -> None:
        """Disable the group where its setup skips every test."""
        for each in body.named_children if body else ():
            called = each.child_by_field_name("method") if each.type == "call" else each
            if called is not None and called.type == "identifier" and self._text(called) == "skip":
                group.is_disabled = True

    def _first_argument(self, node: Node) -> Node | None:
        arguments = node.child_by_field_name("arguments")
        return arguments.named_children[0] if arguments and arguments.named_children else None

    def _metadata(self, node: Node) -> set[str]:
        """Return the metadata flags of a group or test that are not switched off."""
        arguments = node.child_by_field_name("arguments")
        flags = set()
        for each in arguments.named_children if arguments else ():
            if each.type == "simple_symbol":
                flags.add(self._text(each)[1:])
            elif each.type == "pair":
                key, value = each.child_by_field_name("key"), each.child_by_field_name("value")
                if key and (value is None or self._text(value) not in _NO):
                    flags.add(self._text(key).strip(":\"'"))
        return flags

    def _text(self, node: Node) -> str:
        return text_of(self._document, node)


def read_outline(document: Document, tree: Tree, dialect: Dialect) -> Outline:
    """Read modules, classes and groups, never tests. Does not recurse.

    Raises TargetRejected for a file with too many statements.
    """
    return _Reader(document, tree.root_node, dialect).read(tree.root_node)


def _path(outer_path: str, sign: str, name: str) -> str:
    return (f"{outer_path}{sign}{name}" if outer_path else name)[-MAX_GROUP_PATH_LENGTH:]


def _title(name: str) -> str:
    return name[1:-1] if name[:1] in "\"'" and len(name) > 1 else name
