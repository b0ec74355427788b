"""vitest: named and detected; tests cannot be inserted yet."""

from phases.test_integration.framework import Framework, Signals
from phases.test_integration.frameworks import _javascript

FRAMEWORK = Framework(
    name="vitest",
    languages=_javascript.LANGUAGES,
    test_dir="test/",
    test_path=_javascript.test_path,
    signals=Signals(
        packages={"npm": ("vitest",)},
        config_files=(
            *_javascript.configs("vitest.config", "ts", "js", "mjs", "mts", "cjs", "cts"),
            *_javascript.configs("vitest.workspace", "ts", "js", "json"),
        ),
    ),
    precedence=10,
)
