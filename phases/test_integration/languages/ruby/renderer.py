"""Renders a red test for its place in a Ruby file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from phases.test_integration.errors import InvalidTestCode, TargetRejected
from phases.test_integration.languages.ruby import code_edits, group_scores, matchers, writing
from phases.test_integration.languages.ruby.code_edits import ExtractedTest, ParsedCode
from phases.test_integration.languages.ruby.dialect import LIFECYCLE, Dialect
from phases.test_integration.languages.ruby.fingerprints import fingerprint
from phases.test_integration.languages.ruby.outline import Group, Member, Outline
from phases.test_integration.languages.ruby.snippet import Snippet
from phases.test_integration.languages.ruby.style import Style
from phases.test_integration.languages.ruby.unbound_names import unbound
from phases.test_integration.plan.protocols import InsertionWarning
from phases.test_integration.read.red_tests import RedTest
from phases.test_integration.words import one_line

MAX_MEMBERS = 300
_OTHER_STYLE = "testCode is a class of tests with more than tests in it, and the file has no such classes"


@dataclass(frozen=True, slots=True)
class Context:
    """Where a test goes: in `group`, or in a new group modeled on `like`. `keyword` defines tests there."""

    outline: Outline
    dialect: Dialect
    style: Style
    group: Group | None
    keyword: str
    like: Group | None = None

    @property
    def is_class(self) -> bool:
        return self.keyword == "def" or (self.group is not None and self.group.kind == "class")


@dataclass(frozen=True, slots=True)
class RenderedTest:
    """A rendered test without indentation; `names` are defined at its top, `protected` rows do not move."""

    text: str
    protected: frozenset[int]
    names: tuple[str, ...]
    warnings: tuple[InsertionWarning, ...]


@dataclass(frozen=True)
class RubyTest:
    """A red test with its parsed code."""

    red_test: RedTest
    snippet: Snippet
    outline: Outline
    dialect: Dialect
    style: Style
    requires: tuple[str, ...] = ()
    style_warnings: tuple[InsertionWarning, ...] = ()

    @classmethod
    def of(cls, red_test: RedTest, outline: Outline, dialect: Dialect, style: Style) -> RubyTest:
        """Raises InvalidTestCode, and TargetRejected for characters that the file's encoding lacks."""
        snippet = Snippet.of(red_test.code)
        if style.is_ascii and not snippet.code.isascii():
            raise TargetRejected("the file's encoding does not have the letters of testCode")
        if sum(len(group.members) for group in snippet.outline.groups if group.holds_tests) > MAX_MEMBERS:
            raise InvalidTestCode(f"testCode has more than {MAX_MEMBERS} tests and statements beside them")
        clash = sorted(snippet.constants & outline.file.bound)
        if clash:
            raise InvalidTestCode(f"testCode defines {clash[0]}, which the file does too")
        requires = tuple(style.missing_requires(snippet))
        if snippet.is_body and snippet.requires:
            snippet = code_edits.without_requires(snippet)
        return cls(red_test, snippet, outline, dialect, style, requires)._without_foreign_group()

    def in_style(self) -> RubyTest:
        """Return the test with its assertions in the file's style."""
        snippet, found = matchers.in_style(self.snippet, self.outline, self.dialect)
        return replace(self, snippet=snippet, style_warnings=found)

    @cached_property
    def markers(self) -> list[str]:
        found = writing.markers(self.red_test)
        return [writing.ascii_escaped(line) for line in found] if self.style.is_ascii else found

    @property
    def title(self) -> str:
        text = one_line(self.red_test.name)
        return writing.ascii_escaped(text) if self.style.is_ascii else text

    @cached_property
    def topics(self) -> group_scores.Topics:
        return group_scores.find_topics(self.red_test.vulnerable_file, self.red_test.name, self.snippet.words)

    @cached_property
    def fingerprints(self) -> list[str]:
        """Return the fingerprints of its tests in order, or of its body."""
        document = self.snippet.outline.document
        if self.snippet.is_body:
            return [fingerprint(document, [self.snippet.outline.root])]
        tests = [test for group in self.snippet.outline.groups for test in group.tests if test.has_code]
        return [fingerprint(document, [test.body] if test.body else []) for test in tests]

    @property
    def only_group(self) -> Group | None:
        """Return the group that contains all of the code, if there is one."""
        members = self.snippet.members
        return members[0].group if len(members) == 1 and not members[0].test else None

    @property
    def group_name(self) -> str | None:
        return self.only_group.name if self.only_group else None

    def can_join(self, group: Group) -> bool:
        """Return whether its tests can join that group without their own group."""
        only = self.only_group
        return (
            only is not None
            and only.kind == group.kind
            and only.name == group.name
            and bool(only.members)
            and all(member.test for member in only.members)
        )

    @property
    def needs_own_group(self) -> bool:
        """Return whether it must stand beside the file's groups, not inside one."""
        if self.snippet.is_body or self.snippet.is_only_tests:
            return False
        inner = [member.group for member in self.snippet.members if member.group]
        if any(group.kind in ("class", "module") or not _is_title(group.name) for group in inner):
            return True
        return self.style.has_classes and not self._is_helpers_and_methods

    @property
    def _is_helpers_and_methods(self) -> bool:
        names = {name for group in self.outline.groups for name in group.bound}
        return all(
            member.node.type == "method"
            and (member.test or not {self._method_name(member)} & (names | LIFECYCLE))
            for member in self.snippet.members
        )

    def render(self, context: Context) -> RenderedTest:
        """Raises InvalidTestCode."""
        if context.group is not None and self.can_join(context.group):
            return replace(self, snippet=self._unwrapped).render(context)
        text = self._in_new_group(context) if context.group is None else self._inside(context)
        members = text.snippet.outline.file.members
        names = tuple(
            dict.fromkeys(
                each.test.name if each.test else each.group.name if each.group else ""
                for each in members
                if each.holds_tests
            )
        )
        if not names or not all(names):
            raise InvalidTestCode("testCode has a test or a group without a name")
        warnings = [*self.style_warnings, *unbound(self.snippet, self.outline)]
        return RenderedTest(text.code, text.snippet.protected, names, tuple(warnings))

    @cached_property
    def _unwrapped(self) -> Snippet:
        assert self.only_group is not None
        return code_edits.inner(self.snippet, self.only_group)

    def _without_foreign_group(self) -> RubyTest:
        """Unwrap tests from a group of a kind that the file does not use."""
        only = self.only_group
        if only is None or only.kind not in ("class", "block") or not only.holds_tests:
            return self
        wants_class = self.style.has_classes
        is_only_tests = bool(only.members) and all(member.test for member in only.members)
        if is_only_tests and (only.kind == "class") != wants_class:
            return replace(self, snippet=self._unwrapped)
        if only.kind == "class" and not self.dialect.has_methods:
            raise InvalidTestCode(_OTHER_STYLE)
        return self

    def _inside(self, context: Context) -> ParsedCode:
        if self.snippet.is_body or self.snippet.is_only_tests:
            return self._tests(context)
        if context.is_class:
            return self._render_unchanged()
        if self._is_only_groups:
            return self._render_unchanged(prefix="")
        return self._wrapped(f"describe {self._group_title()} do", self._render_unchanged(prefix=""))

    def _in_new_group(self, context: Context) -> ParsedCode:
        style = self.style
        if self._is_only_groups or (self.dialect.has_methods and self.needs_own_group and self._has_types):
            text = self._render_unchanged(prefix=style.receiver)
            is_spec = any(member.group and member.group.kind == "block" for member in self.snippet.members)
            return self._with_head(text, is_spec=is_spec)
        inner_context = replace(context, keyword=style.new_keyword(context.like))
        if self.snippet.is_body or self.snippet.is_only_tests:
            inner = self._tests(inner_context)
        else:
            inner = self._render_unchanged(prefix="")
        is_spec = self.dialect.has_methods and self._has_spec_words
        header = style.new_header(context.like, self.red_test.vulnerable_file, as_block=is_spec)
        return self._with_head(self._wrapped(header, inner), is_spec=header.startswith("describe"))

    @property
    def _is_only_groups(self) -> bool:
        return all(member.group and member.group.kind == "block" for member in self.snippet.members)

    @property
    def _has_types(self) -> bool:
        return any(
            member.group and member.group.kind in ("class", "module") for member in self.snippet.members
        )

    @property
    def _has_spec_words(self) -> bool:
        """Return whether it uses methods that only exist in blocks of tests."""
        if self.snippet.is_body or self.snippet.is_only_tests:
            return False
        return any(not member.node.type.endswith("method") for member in self.snippet.members)

    def _with_head(self, text: ParsedCode, *, is_spec: bool) -> ParsedCode:
        lines = self.style.head(self.requires, is_spec=is_spec)
        return code_edits.parsed("\n".join((*lines, "", text.code))) if lines else text

    def _group_title(self) -> str:
        used_names = {writing.as_method(group.name) for group in self.outline.groups}
        return writing.literal(writing.make_unique_title(self.title, used_names), self.style.quote)

    def _wrapped(self, header: str, inner: ParsedCode) -> ParsedCode:
        code, _ = writing.block(header, (), inner.code, inner.snippet.protected)
        return code_edits.parsed(code)

    @property
    def _first_lines(self) -> list[str]:
        if self.style.is_blank:
            return self.markers
        return [*self.markers, *self.requires]

    def _render_unchanged(self, prefix: str | None = None) -> ParsedCode:
        """Return the whole code with markers in its tests; `prefix` is the receiver of its groups."""
        names = code_edits.new_names(self.snippet, self.style.used_names)
        return code_edits.with_markers(self.snippet, self._first_lines, names, prefix)

    def _tests(self, context: Context) -> ParsedCode:
        used_names = set(self.style.used_names)
        try:
            blocks = [self._test(extracted, context, used_names) for extracted in self._extract_tests()]
        except InvalidTestCode:
            # The body of `it { f <<~A }` extends past its braces, so the code stays as it is.
            if context.keyword not in self.dialect.tests or self.snippet.is_body:
                raise
            return self._render_unchanged(prefix="")
        return code_edits.parsed("\n\n".join(blocks))

    def _extract_tests(self) -> Iterator[ExtractedTest]:
        if self.snippet.is_body:
            yield ExtractedTest(self.title, self.snippet)
        else:
            yield from code_edits.extract_tests(self.snippet, self.title)

    def _test(self, extracted: ExtractedTest, context: Context, used_names: set[str]) -> str:
        header, name = self._header(extracted, context, used_names)
        used_names.add(writing.as_method(name))
        code, _ = writing.block(header, self._first_lines, extracted.body.code, extracted.body.protected)
        return "\n".join((*extracted.comments, code))

    def _header(self, extracted: ExtractedTest, context: Context, used_names: set[str]) -> tuple[str, str]:
        if context.keyword == "def":
            wanted = extracted.name or writing.method_name(extracted.title)
            name = writing.make_unique_method(wanted, used_names)
            if extracted.body.needs_block:
                return f"define_method(:{name}) do", name
            return f"def {name}", name
        title = writing.make_unique_title(extracted.title, used_names)
        more = extracted.arguments if not self.dialect.has_methods else ""
        return f"{context.keyword} {writing.literal(title, self.style.quote)}{more} do", title

    def _method_name(self, member: Member) -> str:
        name = member.node.child_by_field_name("name")
        return self.snippet.text(name) if name else ""


def _is_title(name: str) -> bool:
    return name[:1] in ('"', "'")
