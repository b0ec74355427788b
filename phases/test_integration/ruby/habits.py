"""How a Ruby test file is written: its quotes, its encoding, its groups, what it loads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from phases.test_integration.ruby import writing
from phases.test_integration.ruby.dialect import Dialect
from phases.test_integration.ruby.layout import Group, Layout
from phases.test_integration.ruby.snippet import Snippet
from phases.test_integration.words import split_extension, split_path, words_of

_QUOTES = re.compile(r"""\b(?:it|describe|context|test|should|require|require_relative)[ (]\s*(['"])""")
_CODING = re.compile(r"coding[:=]\s*([\w.-]+)")
_HELPER = re.compile(r"(?:_helper|helper|autorun|test_help|teststrap)['\"]?\)?$")
_LOOKED_AT = 60_000  # bytes of a file that tell its habits


class Habits:
    """Read once for a file, asked for every test."""

    def __init__(self, layout: Layout, dialect: Dialect) -> None:
        self._layout = layout
        self._dialect = dialect

    @cached_property
    def _text(self) -> str:
        return self._layout.document.lines[:_LOOKED_AT].decode(errors="replace")

    @cached_property
    def quote(self) -> str:
        found = _QUOTES.findall(self._text)
        if not found:
            return '"' if self._dialect.has_methods else "'"
        return '"' if found.count('"') > found.count("'") else "'"

    @cached_property
    def is_ascii(self) -> bool:
        """Whether the file says that its encoding is another one than UTF-8."""
        coding = _CODING.search("\n".join(line for line in self._text.split("\n")[:2] if "#" in line))
        return coding is not None and not coding[1].lower().startswith("utf")

    @property
    def is_blank(self) -> bool:
        return not self._layout.file.members

    @cached_property
    def has_classes(self) -> bool:
        """Whether new tests stand in classes: as the file's do, or as its framework's do at first."""
        if not self._dialect.has_methods:
            return False
        holding = [group for group in self._layout.groups if group.holds_tests]
        kinds = {group.kind for group in holding}
        return "class" in kinds or "block" not in kinds

    @property
    def receiver(self) -> str:
        """What stands before `describe` at the top."""
        tops = [group for group in self._layout.groups if group.kind == "block"][:1]
        is_bare = self._dialect.has_methods or any(not group.has_receiver for group in tops)
        return "" if is_bare else "RSpec."

    @cached_property
    def taken(self) -> frozenset[str]:
        """Names of tests, as methods, and of classes and modules."""
        tests = {writing.as_method(test.name) for group in self._layout.groups for test in group.tests}
        types = {group.name for group in self._layout.groups if group.kind in ("class", "module")}
        return frozenset(tests | types)

    def missing_requires(self, snippet: Snippet) -> list[str]:
        """Those that the file has not; a file with code has its own way to load its helpers."""
        found = []
        for member in snippet.requires:
            text = snippet.text(member.node)
            wanted = re.sub(r"^\w+[ (]*['\"]|['\"]\)?$", "", text)
            if f"'{wanted}'" in self._text or f'"{wanted}"' in self._text:
                continue
            if _HELPER.search(text) and not self.is_blank:
                continue
            found.append(text)
        return found

    def new_keyword(self, like: Group | None) -> str:
        """What makes a test in a new group."""
        if not self.has_classes:
            return "it"
        tests = like.tests if like is not None and like.kind == "class" else []
        plain = [test.keyword for test in tests if test.is_plain]
        if plain:
            return plain[-1]
        return "def"

    def first_keyword(self, group: Group) -> str:
        """What makes a test in a group that has none."""
        return "def" if group.kind == "class" and "Spec" not in group.base else "it"

    def new_header(self, like: Group | None, vulnerable_file: str, *, as_block: bool) -> str:
        """The first line of a new group. Its name is rare: classes of one name in two files would be one."""
        title = writing.literal(self._title(), self.quote)
        if as_block or not self.has_classes:
            return f"{self.receiver}describe {title} do"
        wanted = name = f"{self._subject(like, vulnerable_file)}SecurityTest"
        number = 2
        while name in self.taken:
            name, number = f"{wanted}{number}", number + 1
        return f"class {name} < {self._base(like)}"

    def head(self, requires: Sequence[str], *, is_spec: bool) -> list[str]:
        """What a new group needs before it."""
        if self.is_blank:
            loads = list(requires)
            if self._dialect.has_methods and not any(_HELPER.search(each) for each in loads):
                loads.insert(0, 'require "minitest/autorun"')
            return loads
        if is_spec and self._dialect.has_methods and self.has_classes:
            return [f"require {writing.literal('minitest/spec', self.quote)}"]
        return []

    def _subject(self, like: Group | None, vulnerable_file: str) -> str:
        if like is not None and like.kind == "class":
            return re.sub(r"^Test|Tests?$|TestCase$|Spec$", "", like.name.rpartition("::")[2])
        stem = split_extension(split_path(vulnerable_file)[1])[0]
        return "".join(word.capitalize() for word in words_of(stem)).lstrip("0123456789")

    def _title(self) -> str:
        names = {writing.as_method(group.name) for group in self._layout.groups if group.kind == "block"}
        return writing.unique_title("security", names)

    def _base(self, like: Group | None) -> str:
        """What the file's classes of tests are, without the tests of a class that others inherit."""
        known = {group.name: group for group in self._layout.groups if group.kind == "class"}
        base = like.base if like is not None else ""
        for _ in range(10):
            own = known.get(base)
            if own is None:
                break
            base = own.base
        if base and re.fullmatch(r"[\w:]+", base):
            return base
        return "Minitest::Test"
