"""Callers import the module that defines a name: no package's `__init__.py` re-exports names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APPS = ("core", "customers", "phases", "billing", "provisioning", "rsolv")
ENGINE = ROOT / "phases" / "test_integration"
# Django finds models and admin pages only by importing these packages.
LOADED_BY_DJANGO = ("models", "admin")
# Celery's documentation: the app is imported with the project, so that `shared_task` uses it.
CELERY = ROOT / "rsolv" / "__init__.py"
PACKAGES = [
    path
    for app in APPS
    for path in sorted((ROOT / app).rglob("__init__.py"))
    if path.parent.name not in LOADED_BY_DJANGO and path != CELERY and not path.is_relative_to(ENGINE)
]


def list_reexports(code: str) -> Iterator[str]:
    """Return the names that the package imports from other modules."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (each.asname or each.name for each in node.names)


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_package_reexports_no_names(path: Path) -> None:
    assert list(list_reexports(path.read_text())) == []


@pytest.mark.parametrize("code", ["from .leases import claim", "import json", "if 1:\n    from . import a"])
def test_reexports_are_detected(code: str) -> None:
    assert len(list(list_reexports(code))) == 1
