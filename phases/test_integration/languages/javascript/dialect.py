"""Differences between JavaScript test frameworks: their functions and where these are imported from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TESTS = frozenset({"it", "test", "specify"})
GROUPS = frozenset({"describe", "suite", "context"})
SKIPPED = {
    "xit": "it",
    "xtest": "test",
    "xspecify": "specify",
    "xdescribe": "describe",
    "xcontext": "context",
}
FOCUSED = {"fit": "it", "fdescribe": "describe"}
KNOWN = TESTS | GROUPS | SKIPPED.keys() | FOCUSED.keys()
HOOKS = frozenset(
    {"before", "after", "beforeEach", "afterEach", "beforeAll", "afterAll"}
    | {"setup", "teardown", "suiteSetup", "suiteTeardown", "onTestFinished", "aroundEach", "aroundAll"}
)
# Modules with their own `it` and `test`, run by another test runner.
OTHER_RUNNERS = frozenset(
    {"node:test", "test", "ava", "tape", "tap", "uvu", "zora", "bun:test", "@playwright/test", "qunit"}
)
FRAMEWORK_MODULES = frozenset({"vitest", "@jest/globals", "mocha"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """One framework.

    `module` exports `exports`; with `is_global` they need no import. `renames` maps names of other
    frameworks to this one's. With `takes_done` a test's callback may take a `done` parameter.
    """

    name: str
    module: str
    exports: frozenset[str]
    is_global: bool
    renames: Mapping[str, str]
    takes_done: bool
    globals: frozenset[str]


# Mocha's TDD interface, for a file that has `suite` and no `describe`.
TDD_RENAMES = {
    "describe": "suite",
    "context": "suite",
    "it": "test",
    "specify": "test",
    "before": "suiteSetup",
    "after": "suiteTeardown",
    "beforeAll": "suiteSetup",
    "afterAll": "suiteTeardown",
    "beforeEach": "setup",
    "afterEach": "teardown",
}
