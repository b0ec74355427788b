"""mocha: named and detected; tests cannot be inserted yet."""

from phases.test_integration.framework import Framework, Signals
from phases.test_integration.frameworks import _javascript

FRAMEWORK = Framework(
    name="mocha",
    languages=_javascript.LANGUAGES,
    test_dir="test/",
    test_path=_javascript.test_path,
    signals=Signals(
        packages={"npm": ("mocha",)},
        config_files=(
            *_javascript.configs(".mocharc", "json", "js", "cjs", "mjs", "jsonc", "yml", "yaml"),
            "mocha.opts",
        ),
    ),
    precedence=30,
)
