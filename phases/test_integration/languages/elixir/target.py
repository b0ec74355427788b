"""An ExUnit file as an insertion target."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from phases.test_integration.languages.elixir import writing
from phases.test_integration.languages.elixir.outline import (
    TESTS,
    ElixirOutline,
    Module,
    member_of,
)
from phases.test_integration.languages.elixir.snippet import (
    BODY,
    COMPLETE,
    MODULE,
    UNIT,
    ElixirSnippet,
    calls_within,
    free_names,
    parse_as,
)
from phases.test_integration.languages.shared import insertion_points
from phases.test_integration.languages.shared.group_scores import find_topics, score_group
from phases.test_integration.languages.shared.markers import markers
from phases.test_integration.languages.shared.outline import Group, Member
from phases.test_integration.languages.shared.target import GroupedTarget, ParsedTest, RenderedTest
from phases.test_integration.plan import broken_syntax
from phases.test_integration.plan.protocols import InsertionWarning, Plan
from phases.test_integration.read.red_tests import RedTest
from phases.test_integration.words import pascal, split_extension, split_path, words_of

_SECURITY = "security"
_KERNEL = {"self", "node", "binding", "assert", "flunk", "nil", "true", "false", "make_ref"}


@dataclass(frozen=True)
class ElixirTest(ParsedTest):
    """A red test with its parsed code and the names that it reads."""

    red_test: RedTest
    snippet: ElixirSnippet

    @cached_property
    def used_names(self) -> frozenset[str]:
        return frozenset(re.findall(r"\b[A-Z]\w*|\b[a-z]\w*(?=\()", self.snippet.code))

    @property
    def group_name(self) -> str:
        return ""

    @cached_property
    def free_names(self) -> list[str]:
        return free_names(self.snippet.root) if self.snippet.kind == BODY else []


class ExunitTarget(GroupedTarget):
    """An ExUnit file: tests are in modules that use a case, and in their describes."""

    comment = re.compile(rb"#[^\n]*")
    default_unit = UNIT
    new_group = "new_module"
    outline: ElixirOutline

    def __init__(self, outline: ElixirOutline) -> None:
        super().__init__(outline)

    def read(self, red_test: RedTest) -> ElixirTest:
        return ElixirTest(red_test, ElixirSnippet.of(red_test.code))

    def markers(self, test: ParsedTest) -> list[str]:
        return markers(test.red_test, "#")

    def functions_in(self, text: str, *, is_group: bool) -> list[Member]:
        root = parse_as(text, MODULE if is_group else COMPLETE)
        return [member_of([node], 0) for node in calls_within(root, TESTS)]

    @property
    def has_tests(self) -> bool:
        return super().has_tests or bool(self.outline.loops)

    def choose(self, test: ParsedTest) -> Group | None:
        """Choose the describe for security, or one whose context the test needs, else the best module."""
        assert isinstance(test, ElixirTest)
        if test.snippet.kind == MODULE:
            return None
        module = self._module(test)
        # ExUnit allows no describe inside another one.
        if module is None or (test.snippet.kind == COMPLETE and "describe" in test.snippet.code):
            return module
        describes = [
            group
            for group in self.outline.groups
            if group.accepts_tests and self.outline.parents.get(group.path) == module.path
        ]
        known = self.outline.modules[module.path].keys
        needed = [name for name in test.free_names if name not in known]
        for group in describes:
            if _SECURITY in words_of(group.name):
                return group
        for group in describes:
            if any(name in self.outline.contexts[group.path] for name in needed):
                return group
        return module

    def render(self, test: ParsedTest, group: Group | None, *, keep_names: bool = False) -> RenderedTest:
        assert isinstance(test, ElixirTest)
        used_names = group.names if group and not keep_names else frozenset()
        home = self._home(group)
        warnings: list[InsertionWarning] = []
        snippet, new = test.snippet, tuple[str, ...]()
        if snippet.kind == BODY:
            keys = self._keys(group, test)
            name = writing.make_unique_title(writing.title(test.red_test), used_names)
            text, new = writing.test(name, keys, self.markers(test), snippet), (name,)
            warnings = self._unbound(test, home, keys)
        else:
            functions = home.functions if home and not keep_names else frozenset()
            text, new = writing.complete_tests(snippet, used_names, functions, self.markers(test))
        if group is None:
            name = self._module_name(test, keep_names=keep_names)
            if snippet.kind == MODULE:
                text = writing.renamed_module(text, snippet.module_name, name)
            else:
                text = writing.module(name, self._use(), text)
            return RenderedTest(
                text, (name,), frozenset(writing.rows(text, is_module=True)), (), tuple(warnings)
            )
        return RenderedTest(text, new, frozenset(writing.rows(text, is_module=False)), (), tuple(warnings))

    def _plan_in(self, test: ParsedTest, group: Group | None) -> Plan:
        """Create a `describe "security"` in a module whose tests are all in describes."""
        if group is None or group.tests or group.path not in self.outline.modules:
            return super()._plan_in(test, group)
        module = self.outline.modules[group.path]
        assert isinstance(test, ElixirTest)
        if not module.describes and group.path in self.outline.loops:
            return self._plan_after_loop(test, group)
        if not module.describes or (test.snippet.kind == COMPLETE and "describe" in test.snippet.code):
            return super()._plan_in(test, group)
        rendered = self.render(test, group)
        name = writing.make_unique_title(_SECURITY, module.describes)
        text = writing.describe(name, rendered.text)
        rows = frozenset(writing.rows(text, is_module=False))
        document = self.outline.document
        last = [member for member in group.members if member.name.startswith("describe ")][-1]
        if self.outline.root.has_error:
            broken_syntax.check_function(document, last.start, last.end)
        margin = insertion_points.member_margin(document, group, last, self.unit)
        point = insertion_points.after(document, last.end, margin, self.comment)
        inner = RenderedTest(text, rendered.names, rows, (), rendered.warnings)
        return self._plan_at(test, inner, point, "new_describe", f"{group.path}: {name}")

    def _plan_after_loop(self, test: ParsedTest, group: Group) -> Plan:
        """Put the test after the loop that generates tests: inside it, it would run once per iteration."""
        loop, document = self.outline.loops[group.path], self.outline.document
        if self.outline.root.has_error:
            broken_syntax.check_function(document, loop.start, loop.end)
        point = insertion_points.after(
            document, loop.end, insertion_points.member_margin(document, group, loop, self.unit), self.comment
        )
        return self._plan_at(test, self.render(test, group), point, "after_last_test", group.path)

    def _module(self, test: ElixirTest) -> Group | None:
        """Return the module for the test: the best-scored one with tests, else any that runs."""
        modules = [
            group
            for group in self.outline.groups
            if group.path in self.outline.modules and group.accepts_tests
        ]
        with_tests = [
            group
            for group in modules
            if group.tests or group.path in self.outline.loops or self.outline.modules[group.path].describes
        ]
        modules = with_tests or modules
        if len(modules) < 2:
            return modules[0] if modules else None
        known = find_topics(self.outline, test.red_test, test.used_names)
        return max(modules, key=lambda group: score_group(group, known))

    def _home(self, group: Group | None) -> Module | None:
        """Return the module that the group is, or is in."""
        if group is None:
            return None
        return self.outline.modules.get(self.outline.parents.get(group.path, group.path))

    def _keys(self, group: Group | None, test: ElixirTest) -> dict[str, str]:
        """Return the context keys that the test needs, as the tests beside it match them."""
        home = self._home(group)
        if group is None or home is None:
            return {}
        known = {**home.keys, **self.outline.contexts.get(group.path, {})}
        return {name: known[name] for name in test.free_names if name in known and name not in home.functions}

    def _unbound(self, test: ElixirTest, home: Module | None, keys: dict[str, str]) -> list[InsertionWarning]:
        if home is None or home.has_imports:
            return []
        return [
            InsertionWarning(
                "unbound_name", f"nothing binds `{name}`, which the test reads: the file may not compile"
            )
            for name in test.free_names
            if name not in keys and name not in home.functions and name not in _KERNEL
        ]

    def _use(self) -> str:
        """Return the `use` statement of the file's own test case."""
        for module in self.outline.modules.values():
            for use in module.uses:
                if re.match(r"use[ (]\s*(?:\w+\.)*\w*Case\b", use):
                    return use
        return "use ExUnit.Case"

    def _module_name(self, test: ElixirTest, *, keep_names: bool) -> str:
        if test.snippet.kind == MODULE:
            wanted = test.snippet.module_name
        else:
            _, file_name = split_path(test.red_test.vulnerable_file)
            stem = pascal(split_extension(file_name)[0].replace("_", " ").title()) if file_name else ""
            tops = [group.name for group in self.outline.groups if group.path == group.name]
            stem = re.sub(r"Test$", "", tops[0]) if tops else stem
            wanted = f"{stem if stem[:1].isalpha() else ''}SecurityTest"
        name, number = wanted, 2
        while not keep_names and name in self.outline.declared:
            name, number = f"{wanted}{number}", number + 1
        return name
