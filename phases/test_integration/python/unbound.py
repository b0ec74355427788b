"""Which names of a test are bound by nothing."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable

from phases.test_integration.python.layout import Layout

ALWAYS_BOUND = frozenset(dir(builtins)) | {
    "__file__",
    "__name__",
    "__doc__",
    "__package__",
    "__spec__",
}


def unbound(names: Iterable[str], layout: Layout, bound: Collection[str]) -> list[str]:
    """Those that neither Python, nor the file, nor `bound` binds; none where a star import may bind them."""
    if layout.has_star_import:
        return []
    known = ALWAYS_BOUND | layout.names | set(bound)
    return [name for name in names if name not in known]
