"""How the frameworks of JavaScript differ: what they call things, and where their names come from."""

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
# Modules whose `it` and `test` look like ours and are run by something else.
OTHER_RUNNERS = frozenset(
    {"node:test", "test", "ava", "tape", "tap", "uvu", "zora", "bun:test", "@playwright/test", "qunit"}
)
FRAMEWORK_MODULES = frozenset({"vitest", "@jest/globals", "mocha"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """One framework.

    `module` exports `exports`; `is_global` says whether a new file has them without an import. `renames`
    maps names of the other frameworks to this one's; `takes_done` whether a test may have a callback.
    """

    name: str
    module: str
    exports: frozenset[str]
    is_global: bool
    renames: Mapping[str, str]
    takes_done: bool
    globals: frozenset[str]


# Mocha's TDD interface, in a file that has `suite` and no `describe`.
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
