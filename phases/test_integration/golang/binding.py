"""Makes a Go test's names mean in a file what they meant in the test, by imports and other names."""

from __future__ import annotations

from collections.abc import Collection

from phases.test_integration.errors import InvalidTestCode
from phases.test_integration.golang import imports as go_imports
from phases.test_integration.golang.layout import Layout
from phases.test_integration.golang.snippet import Snippet
from phases.test_integration.insertion import Notice
from phases.test_integration.taken import Taken


def bind(layout: Layout, snippet: Snippet) -> tuple[Snippet, dict[str, str]]:
    """The snippet and what must be imported for it: of its own imports, and of what it reads."""
    imported = layout.imported
    by_path = {path: name for name, path in imported.items() if name not in (".", "_")}
    own = dict(snippet.imports)
    aliases: dict[str, str] = {}
    new: dict[str, str] = {}
    standing = Taken({*imported, *layout.names, *snippet.used}, "_")
    for name, path in own.items():
        if name == ".":
            raise InvalidTestCode("testCode imports everything of a package: name what the test needs")
        if name != "_" and name not in snippet.packages:
            continue
        bound = by_path.get(path)
        if bound is not None and name != "_":
            if bound != name:
                aliases[name] = bound
        elif name in imported or name in layout.names:
            alias = standing.take(f"{name}_2")
            aliases[name], new[alias] = alias, path
        elif imported.get(name) != path:
            new[name] = path
    for name in snippet.packages:
        if name in own or name in imported or name in layout.names or name in snippet.declared:
            continue
        habit = _habit(layout, name)
        if habit in by_path:
            aliases[name] = by_path[habit]
        elif habit is not None:
            new[name] = habit
    return snippet.renamed(aliases), new


def _habit(layout: Layout, name: str) -> str | None:
    """The package that such a name stands for: the standard library's, or testify where it is used."""
    if name in ("assert", "require"):
        used = any(path.startswith(go_imports.TESTIFY) for path in layout.imported.values())
        return go_imports.TESTIFY + name if used else None
    # A package that imports itself would not be compiled.
    return go_imports.STANDARD.get(name) if name != layout.package_name else None


def testing(layout: Layout) -> dict[str, str]:
    bound = layout.package_name == "testing" or "testing" in layout.imported.values()
    return {} if bound else {"testing": "testing"}


def unbound(layout: Layout, snippet: Snippet, given: Collection[str]) -> tuple[Notice, ...]:
    """Tells of what the test reads and neither the file nor `given` binds."""
    imported = layout.imported
    if "." in imported:
        return ()
    known = {*given, *imported, *layout.names}
    names = [name for name in snippet.packages if name not in known]
    if layout.package_name.endswith("_test"):
        # Elsewhere another file of the package may bind them, and mostly does: they are what is tested.
        names += [name for name in snippet.free if name not in known]
    return tuple(
        Notice("unbound_name", f"nothing in this file binds `{name}`, which the test reads")
        for name in dict.fromkeys(names)
    )
