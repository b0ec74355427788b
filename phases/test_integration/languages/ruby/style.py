"""Detects how a Ruby test file is written: quotes, encoding, groups, requires."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from phases.test_integration.languages.ruby import writing
from phases.test_integration.languages.ruby.dialect import Dialect
from phases.test_integration.languages.ruby.outline import Group, Outline
from phases.test_integration.languages.ruby.snippet import Snippet
from phases.test_integration.words import split_extension, split_path, words_of

_QUOTES = re.compile(r"""\b(?:it|describe|context|test|should|require|require_relative)[ (]\s*(['"])""")
_CODING = re.compile(r"coding[:=]\s*([\w.-]+)")
_HELPER = re.compile(r"(?:_helper|helper|autorun|test_help|teststrap)['\"]?\)?$")
_SAMPLE_BYTES = 60_000  # bytes of the file that are searched


class Style:
    """The style of one file, computed once for all its tests."""

    def __init__(self, outline: Outline, dialect: Dialect) -> None:
        self._outline = outline
        self._dialect = dialect

    @cached_property
    def _text(self) -> str:
        return self._outline.document.lines[:_SAMPLE_BYTES].decode(errors="replace")

    @cached_property
    def quote(self) -> str:
        found = _QUOTES.findall(self._text)
        if not found:
            return '"' if self._dialect.has_methods else "'"
        return '"' if found.count('"') > found.count("'") else "'"

    @cached_property
    def is_ascii(self) -> bool:
        """Return whether the file declares an encoding other than UTF-8."""
        coding = _CODING.search("\n".join(line for line in self._text.split("\n")[:2] if "#" in line))
        return coding is not None and not coding[1].lower().startswith("utf")

    @property
    def is_blank(self) -> bool:
        return not self._outline.file.members

    @cached_property
    def has_classes(self) -> bool:
        """Return whether new tests go into classes, as in the file, else by the framework's default."""
        if not self._dialect.has_methods:
            return False
        holding = [group for group in self._outline.groups if group.holds_tests]
        kinds = {group.kind for group in holding}
        return "class" in kinds or "block" not in kinds

    @property
    def receiver(self) -> str:
        """Return the receiver of a top-level `describe`."""
        tops = [group for group in self._outline.groups if group.kind == "block"][:1]
        is_bare = self._dialect.has_methods or any(not group.has_receiver for group in tops)
        return "" if is_bare else "RSpec."

    @cached_property
    def used_names(self) -> frozenset[str]:
        """Return the names of tests, as methods, and of classes and modules."""
        tests = {writing.as_method(test.name) for group in self._outline.groups for test in group.tests}
        types = {group.name for group in self._outline.groups if group.kind in ("class", "module")}
        return frozenset(tests | types)

    def missing_requires(self, snippet: Snippet) -> list[str]:
        """Return the requires that the file lacks; a non-empty file loads its own helpers."""
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
        """Return the keyword that defines a test in a new group."""
        if not self.has_classes:
            return "it"
        tests = like.tests if like is not None and like.kind == "class" else []
        plain = [test.keyword for test in tests if test.is_plain]
        if plain:
            return plain[-1]
        return "def"

    def first_keyword(self, group: Group) -> str:
        """Return the keyword that defines a test in a group without tests."""
        return "def" if group.kind == "class" and "Spec" not in group.base else "it"

    def new_header(self, like: Group | None, vulnerable_file: str, *, as_block: bool) -> str:
        """Return a new group's first line. Its class name is rare: equal names in two files are one class."""
        title = writing.literal(self._title(), self.quote)
        if as_block or not self.has_classes:
            return f"{self.receiver}describe {title} do"
        wanted = name = f"{self._subject(like, vulnerable_file)}SecurityTest"
        number = 2
        while name in self.used_names:
            name, number = f"{wanted}{number}", number + 1
        return f"class {name} < {self._base(like)}"

    def head(self, requires: Sequence[str], *, is_spec: bool) -> list[str]:
        """Return the lines that a new group needs before it."""
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
        names = {writing.as_method(group.name) for group in self._outline.groups if group.kind == "block"}
        return writing.make_unique_title("security", names)

    def _base(self, like: Group | None) -> str:
        """Return the base class of the file's test classes, skipping bases with tests of their own."""
        known = {group.name: group for group in self._outline.groups if group.kind == "class"}
        base = like.base if like is not None else ""
        # Bounded, because classes may name each other as their base.
        for _ in range(10):
            own = known.get(base)
            if own is None:
                break
            base = own.base
        if base and re.fullmatch(r"[\w:]+", base):
            return base
        return "Minitest::Test"
