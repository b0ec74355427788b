"""The methods that define groups and tests in each Ruby framework."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """One framework's methods. `groups` and `tests` run; `skipped`, `focused` and `shared` apply to both.

    `uses` include shared tests. With `has_methods`, methods of classes are tests too.
    """

    groups: frozenset[str]
    tests: frozenset[str]
    skipped: frozenset[str] = frozenset()
    focused: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    has_methods: bool = False


RSPEC = Dialect(
    groups=frozenset({"describe", "context", "feature", "example_group"}),
    tests=frozenset({"it", "specify", "example", "scenario", "its"}),
    skipped=frozenset(
        {"xdescribe", "xcontext", "xfeature", "xit", "xspecify", "xexample", "xscenario", "skip", "pending"}
    ),
    focused=frozenset(
        {"fdescribe", "fcontext", "ffeature", "fit", "fspecify", "fexample", "fscenario", "focus"}
    ),
    shared=frozenset({"shared_examples", "shared_examples_for", "shared_context"}),
    uses=frozenset({"it_behaves_like", "it_should_behave_like", "include_examples"}),
)
MINITEST = Dialect(
    groups=frozenset({"describe", "context"}),
    tests=frozenset({"it", "specify", "test", "should"}),
    skipped=frozenset({"xdescribe", "xcontext", "xit"}),
    focused=frozenset({"focus", "fit", "fdescribe"}),
    shared=frozenset({"shared_examples", "shared_examples_for", "shared_context"}),
    uses=frozenset({"it_behaves_like"}),
    has_methods=True,
)
# For a red test's code, which may be written for either framework.
EITHER = Dialect(
    groups=RSPEC.groups | MINITEST.groups,
    tests=RSPEC.tests | MINITEST.tests,
    skipped=RSPEC.skipped - {"skip", "pending"},
    focused=RSPEC.focused,
    shared=RSPEC.shared,
    has_methods=True,
)
HOOKS = frozenset(
    {"before", "after", "around", "setup", "teardown", "prepend_before", "append_before", "prepend_after"}
    | {"append_after", "background", "before_all", "after_all"}
)
VALUES = frozenset({"let", "let!", "subject", "subject!", "given", "given!", "let_it_be"})
# Methods of a test class that its tests do not call.
LIFECYCLE = frozenset(
    {"setup", "teardown", "before_setup", "after_setup", "before_teardown", "after_teardown", "run", "name"}
    | {"initialize"}
)
