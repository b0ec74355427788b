"""Binds the names of a Go test in a file: adds imports, and renames where the file uses another name."""

from __future__ import annotations

from collections.abc import Collection

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.languages.golang import imports as go_imports
from phases.test_integration.languages.golang.outline import Outline
from phases.test_integration.languages.golang.snippet import Snippet
from phases.test_integration.plan.protocols import InsertionWarning
from phases.test_integration.plan.used_names import UsedNames


def bind(outline: Outline, snippet: Snippet) -> tuple[Snippet, dict[str, str]]:
    """Return the snippet renamed to the file's package names, and the imports to add as {name: path}.

    Raises InvalidTestCode for a dot import.
    """
    imported = outline.imported
    by_path = {path: name for name, path in imported.items() if name not in (".", "_")}
    own = dict(snippet.imports)
    aliases: dict[str, str] = {}
    new: dict[str, str] = {}
    reserved = UsedNames({*imported, *outline.names, *snippet.used}, "_")
    for name, path in own.items():
        if name == ".":
            raise InvalidTestCode("testCode imports everything of a package: name what the test needs")
        # Go rejects a file with an unused import.
        if name != "_" and name not in snippet.packages:
            continue
        bound = by_path.get(path)
        if bound is not None and name != "_":
            if bound != name:
                aliases[name] = bound
        elif name in imported or name in outline.names:
            alias = reserved.reserve(f"{name}_2")
            aliases[name], new[alias] = alias, path
        elif imported.get(name) != path:
            new[name] = path
    for name in snippet.packages:
        if name in own or name in imported or name in outline.names or name in snippet.declared:
            continue
        conventional_path = _conventional_path(outline, name)
        if conventional_path in by_path:
            aliases[name] = by_path[conventional_path]
        elif conventional_path is not None:
            new[name] = conventional_path
    return snippet.renamed(aliases), new


def _conventional_path(outline: Outline, name: str) -> str | None:
    """Return the import path that a package name usually means: the standard library, or testify if used."""
    if name in ("assert", "require"):
        used = any(path.startswith(go_imports.TESTIFY) for path in outline.imported.values())
        return go_imports.TESTIFY + name if used else None
    # A package that imports itself does not compile.
    return go_imports.STANDARD_PACKAGES.get(name) if name != outline.package_name else None


def testing(outline: Outline) -> dict[str, str]:
    bound = outline.package_name == "testing" or "testing" in outline.imported.values()
    return {} if bound else {"testing": "testing"}


def unbound(outline: Outline, snippet: Snippet, given: Collection[str]) -> tuple[InsertionWarning, ...]:
    """Return a warning for each name that neither the file nor `given` binds."""
    imported = outline.imported
    if "." in imported:
        return ()
    known = {*given, *imported, *outline.names}
    names = [name for name in snippet.packages if name not in known]
    if outline.package_name.endswith("_test"):
        # In package p, another file usually declares the name: it is the code under test.
        names += [name for name in snippet.free if name not in known]
    return tuple(
        InsertionWarning("unbound_name", f"nothing in this file binds `{name}`, which the test reads")
        for name in dict.fromkeys(names)
    )
