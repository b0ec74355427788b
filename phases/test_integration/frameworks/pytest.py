"""pytest."""

from phases.test_integration.framework import Framework, Signals
from phases.test_integration.frameworks import _python

FRAMEWORK = Framework(
    name="pytest",
    languages=_python.LANGUAGES,
    test_dir="tests/",
    test_path=_python.test_path,
    signals=Signals(
        packages={"pypi": ("pytest",)},
        implied_by={"pypi": ("pytest-",)},
        config_files=("pytest.ini", ".pytest.ini", "pytest.toml", "conftest.py"),
    ),
    precedence=60,
)
