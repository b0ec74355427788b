"""jest: named and detected; tests cannot be inserted yet."""

from phases.test_integration.framework import Framework, Signals
from phases.test_integration.frameworks import _javascript

FRAMEWORK = Framework(
    name="jest",
    languages=_javascript.LANGUAGES,
    test_dir="__tests__/",
    test_path=_javascript.test_path,
    signals=Signals(
        packages={"npm": ("jest", "jest-cli", "@jest/core")},
        config_files=_javascript.configs("jest.config", "js", "ts", "json", "mjs", "cjs"),
    ),
    precedence=20,
)
