"""Mocha: `describe` and `it`, or `suite` and `test`, as globals."""

from phases.test_integration.framework import DetectionHints, Framework
from phases.test_integration.frameworks import _javascript
from phases.test_integration.languages.javascript.dialect import Dialect
from phases.test_integration.languages.javascript.inserter import JavaScriptInserter

_BDD = {"beforeAll": "before", "afterAll": "after", "test": "it", "suite": "describe"}

DIALECT = Dialect(
    name="mocha",
    module="mocha",
    exports=frozenset(
        {"after", "afterEach", "before", "beforeEach", "context", "describe", "it", "run", "setup"}
        | {"specify", "suite", "suiteSetup", "suiteTeardown", "teardown", "test", "xdescribe", "xit"}
    ),
    is_global=True,
    renames=_BDD,
    takes_done=True,
    globals=frozenset({"mocha"}),
)

FRAMEWORK = Framework(
    name="mocha",
    languages=_javascript.LANGUAGES,
    test_dir="test/",
    test_path=_javascript.test_path,
    detection_hints=DetectionHints(
        packages={"npm": ("mocha",)},
        config_files=(
            *_javascript.configs(".mocharc", "json", "js", "cjs", "mjs", "jsonc", "yml", "yaml"),
            "mocha.opts",
        ),
    ),
    precedence=30,
    inserter=JavaScriptInserter(DIALECT),
    inserters=_javascript.inserters(DIALECT),
)
