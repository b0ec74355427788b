"""A red test as a Ruby file would have it: what it needs of its place, and its text for that place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from phases.test_integration.errors import InvalidTestCode, TargetRefused
from phases.test_integration.insertion import Notice
from phases.test_integration.red_tests import RedTest
from phases.test_integration.ruby import groups, matchers, pieces, writing
from phases.test_integration.ruby.dialect import LIFECYCLE, Dialect
from phases.test_integration.ruby.fingerprints import fingerprint
from phases.test_integration.ruby.habits import Habits
from phases.test_integration.ruby.layout import Group, Layout, Member
from phases.test_integration.ruby.pieces import LooseTest, Text
from phases.test_integration.ruby.snippet import Snippet
from phases.test_integration.ruby.unbound import unbound
from phases.test_integration.words import one_line

MOST_MEMBERS = 300
_OTHER_STYLE = "testCode is a class of tests with more than tests in it, and the file has no such classes"


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a test is to stand: in `group`, or in a new group like `like`. `keyword` makes tests there."""

    layout: Layout
    dialect: Dialect
    habits: Habits
    group: Group | None
    keyword: str
    like: Group | None = None

    @property
    def is_class(self) -> bool:
        return self.keyword == "def" or (self.group is not None and self.group.kind == "class")


@dataclass(frozen=True, slots=True)
class Written:
    """A test's text, in the first column; `names` are what stands at its top, `protected` rows stay."""

    text: str
    protected: frozenset[int]
    names: tuple[str, ...]
    notices: tuple[Notice, ...]


@dataclass(frozen=True)
class RubyTest:
    """A red test whose code has been read."""

    red_test: RedTest
    snippet: Snippet
    layout: Layout
    dialect: Dialect
    habits: Habits
    requires: tuple[str, ...] = ()
    style_notices: tuple[Notice, ...] = ()

    @classmethod
    def of(cls, red_test: RedTest, layout: Layout, dialect: Dialect, habits: Habits) -> RubyTest:
        """Raises InvalidTestCode, and TargetRefused for letters that the file's encoding does not have."""
        snippet = Snippet.of(red_test.code)
        if habits.is_ascii and not snippet.code.isascii():
            raise TargetRefused("the file's encoding does not have the letters of testCode")
        if sum(len(group.members) for group in snippet.layout.groups if group.holds_tests) > MOST_MEMBERS:
            raise InvalidTestCode(f"testCode has more than {MOST_MEMBERS} tests and statements beside them")
        clash = sorted(snippet.constants & layout.file.bound)
        if clash:
            raise InvalidTestCode(f"testCode defines {clash[0]}, which the file does too")
        requires = tuple(habits.missing_requires(snippet))
        if snippet.is_body and snippet.requires:
            snippet = pieces.without_requires(snippet)
        return cls(red_test, snippet, layout, dialect, habits, requires)._in_form()

    def in_style(self) -> RubyTest:
        """With its assertions written as the file writes its own."""
        snippet, found = matchers.in_style(self.snippet, self.layout, self.dialect)
        return replace(self, snippet=snippet, style_notices=found)

    @cached_property
    def marks(self) -> list[str]:
        found = writing.marks(self.red_test)
        return [writing.ascii_escaped(line) for line in found] if self.habits.is_ascii else found

    @property
    def title(self) -> str:
        text = one_line(self.red_test.name)
        return writing.ascii_escaped(text) if self.habits.is_ascii else text

    @cached_property
    def clues(self) -> groups.Clues:
        return groups.clues(self.red_test.vulnerable_file, self.red_test.name, self.snippet.words)

    @cached_property
    def fingerprints(self) -> list[str]:
        """Those of its tests, in order; of its only test, if it is a body."""
        document = self.snippet.layout.document
        if self.snippet.is_body:
            return [fingerprint(document, [self.snippet.layout.root])]
        tests = [test for group in self.snippet.layout.groups for test in group.tests if test.has_code]
        return [fingerprint(document, [test.body] if test.body else []) for test in tests]

    @property
    def only_group(self) -> Group | None:
        """The group that is all there is of the code."""
        members = self.snippet.members
        return members[0].group if len(members) == 1 and not members[0].test else None

    @property
    def group_name(self) -> str | None:
        return self.only_group.name if self.only_group else None

    def can_join(self, group: Group) -> bool:
        """Whether its tests may stand in that group without the group that they came in."""
        only = self.only_group
        return (
            only is not None
            and only.kind == group.kind
            and only.name == group.name
            and bool(only.members)
            and all(member.test for member in only.members)
        )

    @property
    def stands_alone(self) -> bool:
        """Whether it has to stand beside the file's groups, not in one."""
        if self.snippet.is_body or self.snippet.is_only_tests:
            return False
        inner = [member.group for member in self.snippet.members if member.group]
        if any(group.kind in ("class", "module") or not _is_title(group.name) for group in inner):
            return True
        return self.habits.has_classes and not self._is_helpers_and_methods

    @property
    def _is_helpers_and_methods(self) -> bool:
        names = {name for group in self.layout.groups for name in group.bound}
        return all(
            member.node.type == "method"
            and (member.test or not {self._method_name(member)} & (names | LIFECYCLE))
            for member in self.snippet.members
        )

    def write(self, setting: Setting) -> Written:
        """Raises InvalidTestCode."""
        if setting.group is not None and self.can_join(setting.group):
            return replace(self, snippet=self._unwrapped).write(setting)
        text = self._in_new_group(setting) if setting.group is None else self._inside(setting)
        members = text.snippet.layout.file.members
        names = tuple(
            dict.fromkeys(
                each.test.name if each.test else each.group.name if each.group else ""
                for each in members
                if each.holds_tests
            )
        )
        if not names or not all(names):
            raise InvalidTestCode("testCode has a test or a group without a name")
        notices = [*self.style_notices, *unbound(self.snippet, self.layout)]
        return Written(text.code, text.snippet.protected, names, tuple(notices))

    @cached_property
    def _unwrapped(self) -> Snippet:
        assert self.only_group is not None
        return pieces.inner(self.snippet, self.only_group)

    def _in_form(self) -> RubyTest:
        """Tests in a group of a kind that the file has not, without that group."""
        only = self.only_group
        if only is None or only.kind not in ("class", "block") or not only.holds_tests:
            return self
        wants_class = self.habits.has_classes
        is_only_tests = bool(only.members) and all(member.test for member in only.members)
        if is_only_tests and (only.kind == "class") != wants_class:
            return replace(self, snippet=self._unwrapped)
        if only.kind == "class" and not self.dialect.has_methods:
            raise InvalidTestCode(_OTHER_STYLE)
        return self

    def _inside(self, setting: Setting) -> Text:
        if self.snippet.is_body or self.snippet.is_only_tests:
            return self._tests(setting)
        if setting.is_class:
            return self._as_it_is()
        if self._is_only_groups:
            return self._as_it_is(prefix="")
        return self._wrapped(f"describe {self._group_title()} do", self._as_it_is(prefix=""))

    def _in_new_group(self, setting: Setting) -> Text:
        habits = self.habits
        if self._is_only_groups or (self.dialect.has_methods and self.stands_alone and self._has_types):
            text = self._as_it_is(prefix=habits.receiver)
            is_spec = any(member.group and member.group.kind == "block" for member in self.snippet.members)
            return self._with_head(text, is_spec=is_spec)
        inner_setting = replace(setting, keyword=habits.new_keyword(setting.like))
        if self.snippet.is_body or self.snippet.is_only_tests:
            inner = self._tests(inner_setting)
        else:
            inner = self._as_it_is(prefix="")
        is_spec = self.dialect.has_methods and self._has_spec_words
        header = habits.new_header(setting.like, self.red_test.vulnerable_file, as_block=is_spec)
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
        """Whether it is made of what only blocks of tests know."""
        if self.snippet.is_body or self.snippet.is_only_tests:
            return False
        return any(not member.node.type.endswith("method") for member in self.snippet.members)

    def _with_head(self, text: Text, *, is_spec: bool) -> Text:
        lines = self.habits.head(self.requires, is_spec=is_spec)
        return pieces.parsed("\n".join((*lines, "", text.code))) if lines else text

    def _group_title(self) -> str:
        taken = {writing.as_method(group.name) for group in self.layout.groups}
        return writing.literal(writing.unique_title(self.title, taken), self.habits.quote)

    def _wrapped(self, header: str, inner: Text) -> Text:
        code, _ = writing.block(header, (), inner.code, inner.snippet.protected)
        return pieces.parsed(code)

    @property
    def _first_lines(self) -> list[str]:
        if self.habits.is_blank:
            return self.marks
        return [*self.marks, *self.requires]

    def _as_it_is(self, prefix: str | None = None) -> Text:
        """The whole code, its tests marked. `prefix` is the receiver that its groups shall have."""
        names = pieces.new_names(self.snippet, self.habits.taken)
        return pieces.marked(self.snippet, self._first_lines, names, prefix)

    def _tests(self, setting: Setting) -> Text:
        taken = set(self.habits.taken)
        try:
            blocks = [self._test(loose, setting, taken) for loose in self._loose_tests()]
        except InvalidTestCode:
            # The body of `it { f <<~A }` is not all within its brackets: so it stays what it is.
            if setting.keyword not in self.dialect.tests or self.snippet.is_body:
                raise
            return self._as_it_is(prefix="")
        return pieces.parsed("\n\n".join(blocks))

    def _loose_tests(self) -> Iterator[LooseTest]:
        if self.snippet.is_body:
            yield LooseTest(self.title, self.snippet)
        else:
            yield from pieces.loose_tests(self.snippet, self.title)

    def _test(self, loose: LooseTest, setting: Setting, taken: set[str]) -> str:
        header, name = self._header(loose, setting, taken)
        taken.add(writing.as_method(name))
        code, _ = writing.block(header, self._first_lines, loose.body.code, loose.body.protected)
        return "\n".join((*loose.comments, code))

    def _header(self, loose: LooseTest, setting: Setting, taken: set[str]) -> tuple[str, str]:
        if setting.keyword == "def":
            wanted = loose.name or writing.method_name(loose.title)
            name = writing.unique_method(wanted, taken)
            if loose.body.needs_block:
                return f"define_method(:{name}) do", name
            return f"def {name}", name
        title = writing.unique_title(loose.title, taken)
        more = loose.arguments if not self.dialect.has_methods else ""
        return f"{setting.keyword} {writing.literal(title, self.habits.quote)}{more} do", title

    def _method_name(self, member: Member) -> str:
        name = member.node.child_by_field_name("name")
        return self.snippet.text(name) if name else ""


def _is_title(name: str) -> bool:
    return name[:1] in ('"', "'")
