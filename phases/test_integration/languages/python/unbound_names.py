"""Finds names of a test that nothing binds."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable

from phases.test_integration.languages.python.outline import Outline

ALWAYS_BOUND = frozenset(dir(builtins)) | {
    "__file__",
    "__name__",
    "__doc__",
    "__package__",
    "__spec__",
}


def unbound(names: Iterable[str], outline: Outline, bound: Collection[str]) -> list[str]:
    """Return names bound by neither builtins, the file nor `bound`; none with a star import."""
    if outline.has_star_import:
        return []
    known = ALWAYS_BOUND | outline.names | set(bound)
    return [name for name in names if name not in known]
