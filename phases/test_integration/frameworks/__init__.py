"""The registry of frameworks: every module here without a leading underscore defines one."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from phases.test_integration.errors import UnsupportedFramework
from phases.test_integration.framework import Framework


def _discover() -> dict[str, Framework]:
    found: list[Framework] = []
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            found.append(import_module(f"{__name__}.{module.name}").FRAMEWORK)
    return {framework.name: framework for framework in sorted(found, key=lambda each: each.precedence)}


FRAMEWORKS = _discover()


def get_framework(name: str) -> Framework:
    """Return the framework by its name, in any case.

    Raises UnsupportedFramework.
    """
    try:
        return FRAMEWORKS[name.strip().lower()]
    except KeyError:
        raise UnsupportedFramework(name) from None
