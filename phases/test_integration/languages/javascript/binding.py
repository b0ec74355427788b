"""Binds the names that a test reads: imports, the framework's functions, `assert`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.javascript.bindings import Import
from phases.test_integration.languages.javascript.context import Context, RenderedTest
from phases.test_integration.languages.javascript.dialect import FRAMEWORK_MODULES
from phases.test_integration.languages.javascript.globals import BUILTINS
from phases.test_integration.languages.javascript.snippet import Snippet
from phases.test_integration.languages.javascript.style import CHAI
from phases.test_integration.plan.protocols import InsertionWarning

_NODE_ASSERT = "assert"


@dataclass(frozen=True, slots=True)
class Binder:
    """Binds the snippet's names. `scope` are the names bound at its place, `renames` the file's names."""

    snippet: Snippet
    context: Context
    rendered: RenderedTest
    scope: set[str]
    renames: Mapping[str, str]

    def bind_imports(self) -> None:
        """Raises InvalidTestCode where an import would rebind a name of the file."""
        outline = self.context.outline
        origins = {
            name: (each.source, imported) for each in outline.imports for name, imported in each.names.items()
        }
        semicolon = self.context.style.semicolon
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
                # A module would be loaded by `await import()`, which a test with `done` cannot do.
                or ("done" in self.snippet.free and not outline.is_common_js)
            ):
                self._bind_statically(each, names)
            else:
                self.rendered.prelude.append(
                    _loaded(each, names, outline.is_common_js, self.context.style.quote) + semicolon
                )

    def _bind_statically(self, found: Import, names: dict[str, str]) -> None:
        for name in names:
            if name in self.scope:
                raise InvalidTestCode(f"testCode imports {name}, which the file uses for something else")
        if self.context.outline.is_common_js and not found.is_type and found.source not in FRAMEWORK_MODULES:
            text = _loaded(found, names, True, self.context.style.quote)
        else:
            text = _statement(found, names, self.context.style.quote)
        self.rendered.imports.append(text + self.context.style.semicolon)
        if not found.is_type and not found.source.startswith("node:"):
            message = f"the file now imports {found.source[:100]}: if that is missing, none of it runs"
            self.rendered.warnings.append(InsertionWarning("import_added", message))

    def bind_names(self) -> None:
        """Bind the unbound names of the code, and those used by the text around it."""
        imported = {name for each in self.snippet.imports for name in each.names}
        needed = [name for name in self.rendered.names if name not in self.scope]
        self.rendered.names = []
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
        """Bind one name in the way the file does; add a warning where nothing can bind it."""
        outline, style = self.context.outline, self.context.style
        dialect = outline.dialect
        if name in self.scope or name in BUILTINS or name in style.sibling_parameters:
            return
        if name in dialect.exports and style.is_explicit:
            self.rendered.needs(name)
        elif name in dialect.exports or name in dialect.globals:
            return
        elif style.chai and name in CHAI:
            self.rendered.prelude.append(f"const {{ {name} }} = {style.chai}{style.semicolon}")
        elif name == _NODE_ASSERT:
            self._bind_assert()
        # A setup file may have made chai's names global.
        elif not (name in CHAI and name not in outline.bound and style.reads(name)):
            message = f"nothing binds `{name[:80]}`, which the test reads"
            self.rendered.warnings.append(InsertionWarning("unbound_name", message))

    def _bind_assert(self) -> None:
        quote, semicolon = self.context.style.quote, self.context.style.semicolon
        if not self.context.outline.is_common_js:
            self.rendered.imports.append(f"import assert from {quote}node:assert{quote}{semicolon}")
        elif self.snippet.is_body:
            self.rendered.prelude.append(f"const assert = require({quote}node:assert{quote}){semicolon}")
        else:
            self.rendered.imports.append(f"const assert = require({quote}node:assert{quote}){semicolon}")


def _statement(found: Import, names: Mapping[str, str], quote: str) -> str:
    """Return an import statement for some of the names."""
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
    clause_text = f"{', '.join(clauses)} from " if clauses else ""
    return f"{kind} {clause_text}{quote}{found.source}{quote}"


def _loaded(found: Import, names: Mapping[str, str], is_common_js: bool, quote: str) -> str:
    """Return the same import as a statement inside a function."""
    source = f"{quote}{found.source}{quote}"
    load = f"require({source})" if is_common_js or found.is_require else f"await import({source})"
    namespace = next((name for name, what in names.items() if what == "*"), "")
    default = next((name for name, what in names.items() if what == "default"), "")
    rest = [(name, what) for name, what in names.items() if what not in ("*", "default")]
    if not names:
        return load
    if namespace and not rest:
        return f"const {namespace} = {load}"
    if default and is_common_js and not rest:
        return f"const {default} = {load}"
    pairs = ([("default", default)] if default else []) + [(what, name) for name, what in rest]
    inner = ", ".join(what if what == name else f"{what}: {name}" for what, name in pairs)
    return f"const {{ {inner} }} = {load}"
