"""An ExUnit file as a target."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from phases.test_integration import broken
from phases.test_integration.elixir import writing
from phases.test_integration.elixir.layout import TESTS, ElixirOutline, Module, member_of
from phases.test_integration.elixir.snippet import (
    BODY,
    MODULE,
    UNIT,
    WHOLE,
    ElixirSnippet,
    calls_within,
    free_names,
    parse_as,
)
from phases.test_integration.grouped import spots
from phases.test_integration.grouped.affinity import affinity, clues
from phases.test_integration.grouped.marks import marks
from phases.test_integration.grouped.outline import Group, Member
from phases.test_integration.grouped.target import GroupedTarget, Test, Written
from phases.test_integration.insertion import Notice, Plan
from phases.test_integration.red_tests import RedTest
from phases.test_integration.words import pascal, split_extension, split_path, words_of

_SECURITY = "security"
_KERNEL = {"self", "node", "binding", "assert", "flunk", "nil", "true", "false", "make_ref"}


@dataclass(frozen=True)
class ElixirTest(Test):
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
    """Tests stand in modules that use a case, and in their describes, which cannot be nested."""

    comment = re.compile(rb"#[^\n]*")
    default_unit = UNIT
    new_group = "new_module"
    outline: ElixirOutline

    def __init__(self, outline: ElixirOutline) -> None:
        super().__init__(outline)

    def read(self, red_test: RedTest) -> ElixirTest:
        return ElixirTest(red_test, ElixirSnippet.of(red_test.code))

    def marks(self, test: Test) -> list[str]:
        return marks(test.red_test, "#")

    def functions_in(self, text: str, *, is_group: bool) -> list[Member]:
        root = parse_as(text, MODULE if is_group else WHOLE)
        return [member_of([node], 0) for node in calls_within(root, TESTS)]

    @property
    def has_tests(self) -> bool:
        return super().has_tests or bool(self.outline.loops)

    def choose(self, test: Test) -> Group | None:
        """The describe for security, or that whose context the test needs, else the best module."""
        assert isinstance(test, ElixirTest)
        if test.snippet.kind == MODULE:
            return None
        module = self._module(test)
        if module is None or (test.snippet.kind == WHOLE and "describe" in test.snippet.code):
            return module
        describes = [
            group
            for group in self.outline.groups
            if group.takes and self.outline.parents.get(group.path) == module.path
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

    def write(self, test: Test, group: Group | None, *, keep_names: bool = False) -> Written:
        assert isinstance(test, ElixirTest)
        taken = group.names if group and not keep_names else frozenset()
        home = self._home(group)
        notices: list[Notice] = []
        snippet, new = test.snippet, tuple[str, ...]()
        if snippet.kind == BODY:
            keys = self._keys(group, test)
            name = writing.unique_title(writing.title(test.red_test), taken)
            text, new = writing.test(name, keys, self.marks(test), snippet), (name,)
            notices = self._unbound(test, home, keys)
        else:
            functions = home.functions if home and not keep_names else frozenset()
            text, new = writing.whole(snippet, taken, functions, self.marks(test))
        if group is None:
            name = self._module_name(test, keep_names=keep_names)
            if snippet.kind == MODULE:
                text = writing.renamed_module(text, snippet.module_name, name)
            else:
                text = writing.module(name, self._use(), text)
            return Written(text, (name,), frozenset(writing.rows(text, is_module=True)), (), tuple(notices))
        return Written(text, new, frozenset(writing.rows(text, is_module=False)), (), tuple(notices))

    def _plan_in(self, test: Test, group: Group | None) -> Plan:
        """A module that has nothing but describes gets one for security."""
        if group is None or group.tests or group.path not in self.outline.modules:
            return super()._plan_in(test, group)
        module = self.outline.modules[group.path]
        assert isinstance(test, ElixirTest)
        if not module.describes and group.path in self.outline.loops:
            return self._plan_behind_loop(test, group)
        if not module.describes or (test.snippet.kind == WHOLE and "describe" in test.snippet.code):
            return super()._plan_in(test, group)
        written = self.write(test, group)
        name = writing.unique_title(_SECURITY, module.describes)
        text = writing.describe(name, written.text)
        rows = frozenset(writing.rows(text, is_module=False))
        document = self.outline.document
        last = [member for member in group.members if member.name.startswith("describe ")][-1]
        if self.outline.root.has_error:
            broken.check_function(document, last.start, last.end)
        margin = spots.member_margin(document, group, last, self.unit)
        spot = spots.behind(document, last.end, margin, self.comment)
        inner = Written(text, written.names, rows, (), written.notices)
        return self._plan_at(test, inner, spot, "new_describe", f"{group.path}: {name}")

    def _plan_behind_loop(self, test: Test, group: Group) -> Plan:
        """Beside the loop that makes the module's tests: within it there would be one for every round."""
        loop, document = self.outline.loops[group.path], self.outline.document
        if self.outline.root.has_error:
            broken.check_function(document, loop.start, loop.end)
        spot = spots.behind(
            document, loop.end, spots.member_margin(document, group, loop, self.unit), self.comment
        )
        return self._plan_at(test, self.write(test, group), spot, "after_last_test", group.path)

    def _module(self, test: ElixirTest) -> Group | None:
        modules = [
            group for group in self.outline.groups if group.path in self.outline.modules and group.takes
        ]
        with_tests = [
            group
            for group in modules
            if group.tests or group.path in self.outline.loops or self.outline.modules[group.path].describes
        ]
        modules = with_tests or modules
        if len(modules) < 2:
            return modules[0] if modules else None
        known = clues(self.outline, test.red_test, test.used_names)
        return max(modules, key=lambda group: affinity(group, known))

    def _home(self, group: Group | None) -> Module | None:
        """The module that the group is or stands in."""
        if group is None:
            return None
        return self.outline.modules.get(self.outline.parents.get(group.path, group.path))

    def _keys(self, group: Group | None, test: ElixirTest) -> dict[str, str]:
        """What the test takes from its context, as the tests beside it do."""
        home = self._home(group)
        if group is None or home is None:
            return {}
        known = {**home.keys, **self.outline.contexts.get(group.path, {})}
        return {name: known[name] for name in test.free_names if name in known and name not in home.functions}

    def _unbound(self, test: ElixirTest, home: Module | None, keys: dict[str, str]) -> list[Notice]:
        if home is None or home.has_imports:
            return []
        return [
            Notice("unbound_name", f"nothing binds `{name}`, which the test reads: the file may not compile")
            for name in test.free_names
            if name not in keys and name not in home.functions and name not in _KERNEL
        ]

    def _use(self) -> str:
        """The case that the file's own tests use."""
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
