"""Vitest: `describe` and `it` or `test`, imported from `vitest` or as globals."""

from phases.test_integration.framework import DetectionHints, Framework
from phases.test_integration.frameworks import _javascript
from phases.test_integration.languages.javascript.dialect import Dialect
from phases.test_integration.languages.javascript.inserter import JavaScriptInserter

_BDD = {"before": "beforeAll", "after": "afterAll", "context": "describe", "specify": "it"}

DIALECT = Dialect(
    name="vitest",
    module="vitest",
    exports=frozenset(
        {"afterAll", "afterEach", "assert", "assertType", "beforeAll", "beforeEach", "chai", "describe"}
        | {"expect", "expectTypeOf", "it", "onTestFailed", "onTestFinished", "suite", "test", "vi", "vitest"}
    ),
    is_global=False,
    renames=_BDD,
    takes_done=False,
    globals=frozenset(),
)

FRAMEWORK = Framework(
    name="vitest",
    languages=_javascript.LANGUAGES,
    test_dir="test/",
    test_path=_javascript.test_path,
    detection_hints=DetectionHints(
        packages={"npm": ("vitest",)},
        config_files=(
            *_javascript.configs("vitest.config", "ts", "js", "mjs", "mts", "cjs", "cts"),
            *_javascript.configs("vitest.workspace", "ts", "js", "json"),
        ),
    ),
    precedence=10,
    inserter=JavaScriptInserter(DIALECT),
    inserters=_javascript.inserters(DIALECT),
)
