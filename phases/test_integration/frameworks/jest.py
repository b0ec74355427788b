"""Jest: `describe` and `it` or `test`, as globals or from `@jest/globals`."""

from phases.test_integration.framework import DetectionHints, Framework
from phases.test_integration.frameworks import _javascript
from phases.test_integration.languages.javascript.dialect import Dialect
from phases.test_integration.languages.javascript.inserter import JavaScriptInserter

_BDD = {
    "before": "beforeAll",
    "after": "afterAll",
    "context": "describe",
    "specify": "it",
    "suite": "describe",
}

DIALECT = Dialect(
    name="jest",
    module="@jest/globals",
    exports=frozenset(
        {"afterAll", "afterEach", "beforeAll", "beforeEach", "describe", "expect", "fdescribe", "fit", "it"}
        | {"jest", "test", "xdescribe", "xit", "xtest"}
    ),
    is_global=True,
    renames=_BDD,
    takes_done=True,
    globals=frozenset(),
)

FRAMEWORK = Framework(
    name="jest",
    languages=_javascript.LANGUAGES,
    test_dir="__tests__/",
    test_path=_javascript.test_path,
    detection_hints=DetectionHints(
        packages={"npm": ("jest", "jest-cli", "@jest/core")},
        config_files=_javascript.configs("jest.config", "js", "ts", "json", "mjs", "cjs"),
    ),
    precedence=20,
    inserter=JavaScriptInserter(DIALECT),
    inserters=_javascript.inserters(DIALECT),
)
