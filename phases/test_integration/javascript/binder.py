"""Sees that what a test reads is bound where it stands: imports, the framework's names, `assert`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.insertion import Notice
from phases.test_integration.javascript.bindings import Import
from phases.test_integration.javascript.dialect import FRAMEWORK_MODULES
from phases.test_integration.javascript.globals import BUILTINS
from phases.test_integration.javascript.habits import CHAI
from phases.test_integration.javascript.setting import Setting, Written
from phases.test_integration.javascript.snippet import Snippet

_NODE_ASSERT = "assert"


@dataclass(frozen=True, slots=True)
class Binder:
    """`scope` are the names that the place has, `renames` what the code's own are called there."""

    snippet: Snippet
    setting: Setting
    written: Written
    scope: set[str]
    renames: Mapping[str, str]

    def bind_imports(self) -> None:
        """Raises InvalidTestCode where an import takes a name that the file uses for something else."""
        layout = self.setting.layout
        origins = {
            name: (each.source, imported) for each in layout.imports for name, imported in each.names.items()
        }
        semicolon = self.setting.habits.semicolon
        for each in self.snippet.imports:
            names = {
                name: imported
                for name, imported in each.names.items()
                if origins.get(name) != (each.source, imported)
            }
            if each.names and not names:
                continue
            if each.source in FRAMEWORK_MODULES and all(name == what for name, what in names.items()):
                for name in names:
                    if name in self.snippet.free and name not in self.renames:
                        self._bind(name)
            elif (
                each.is_type
                or not self.snippet.is_body
                or ("done" in self.snippet.free and not layout.is_common_js)
            ):
                self._bind_statically(each, names)
            else:
                self.written.prelude.append(
                    _loaded(each, names, layout.is_common_js, self.setting.habits.quote) + semicolon
                )

    def _bind_statically(self, found: Import, names: dict[str, str]) -> None:
        for name in names:
            if name in self.scope:
                raise InvalidTestCode(f"testCode imports {name}, which the file uses for something else")
        if self.setting.layout.is_common_js and not found.is_type and found.source not in FRAMEWORK_MODULES:
            text = _loaded(found, names, True, self.setting.habits.quote)
        else:
            text = _statement(found, names, self.setting.habits.quote)
        self.written.imports.append(text + self.setting.habits.semicolon)
        if not found.is_type and not found.source.startswith("node:"):
            message = f"the file now imports {found.source[:100]}: if that is missing, none of it runs"
            self.written.notices.append(Notice("import_added", message))

    def bind_names(self) -> None:
        """Those that the code reads and does not bind, and those that were written around it."""
        imported = {name for each in self.snippet.imports for name in each.names}
        needed = [name for name in self.written.names if name not in self.scope]
        self.written.names = []
        for name in needed:
            self._bind(name)
        given = {"done"} if self.snippet.is_body else set()
        given |= imported | self.renames.keys()
        for name in self.snippet.free:
            if name not in given:
                self._bind(name)
        for new in self.renames.values():
            self._bind(new.partition(".")[0])

    def _bind(self, name: str) -> None:
        """Sees that the name is bound, as the file's own habits would have it; tells where it is not."""
        layout, habits = self.setting.layout, self.setting.habits
        dialect = layout.dialect
        if name in self.scope or name in BUILTINS or name in habits.sibling_parameters:
            return
        if name in dialect.exports and habits.is_explicit:
            self.written.needs(name)
        elif name in dialect.exports or name in dialect.globals:
            return
        elif habits.chai and name in CHAI:
            self.written.prelude.append(f"const {{ {name} }} = {habits.chai}{habits.semicolon}")
        elif name == _NODE_ASSERT:
            self._bind_assert()
        elif not (name in CHAI and name not in layout.bound and habits.reads(name)):
            message = f"nothing binds `{name[:80]}`, which the test reads"
            self.written.notices.append(Notice("unbound_name", message))

    def _bind_assert(self) -> None:
        quote, semicolon = self.setting.habits.quote, self.setting.habits.semicolon
        if not self.setting.layout.is_common_js:
            self.written.imports.append(f"import assert from {quote}node:assert{quote}{semicolon}")
        elif self.snippet.is_body:
            self.written.prelude.append(f"const assert = require({quote}node:assert{quote}){semicolon}")
        else:
            self.written.imports.append(f"const assert = require({quote}node:assert{quote}){semicolon}")


def _statement(found: Import, names: Mapping[str, str], quote: str) -> str:
    """An import of some of the names."""
    clauses = [name for name, what in names.items() if what == "default"]
    clauses += [f"* as {name}" for name, what in names.items() if what == "*"]
    inner = [
        name if name == what else f"{what} as {name}"
        for name, what in names.items()
        if what not in ("default", "*")
    ]
    if inner:
        clauses.append("{ " + ", ".join(inner) + " }")
    kind = "import type" if found.is_type else "import"
    taken = f"{', '.join(clauses)} from " if clauses else ""
    return f"{kind} {taken}{quote}{found.source}{quote}"


def _loaded(found: Import, names: Mapping[str, str], is_common_js: bool, quote: str) -> str:
    """The same within a function."""
    source = f"{quote}{found.source}{quote}"
    load = f"require({source})" if is_common_js or found.is_require else f"await import({source})"
    whole = next((name for name, what in names.items() if what == "*"), "")
    default = next((name for name, what in names.items() if what == "default"), "")
    rest = [(name, what) for name, what in names.items() if what not in ("*", "default")]
    if not names:
        return load
    if whole and not rest:
        return f"const {whole} = {load}"
    if default and is_common_js and not rest:
        return f"const {default} = {load}"
    pairs = ([("default", default)] if default else []) + [(what, name) for name, what in rest]
    inner = ", ".join(what if what == name else f"{what}: {name}" for what, name in pairs)
    return f"const {{ {inner} }} = {load}"
