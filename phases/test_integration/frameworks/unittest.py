"""unittest: named and detected; tests cannot be inserted yet."""

from phases.test_integration.framework import Framework, Signals
from phases.test_integration.frameworks import _python

# unittest comes with Python, so only what runs or extends it shows that a project uses it.
FRAMEWORK = Framework(
    name="unittest",
    languages=_python.LANGUAGES,
    test_dir="tests/",
    test_path=_python.test_path,
    signals=Signals(
        packages={"pypi": ("unittest2", "unittest-xml-reporting", "nose2", "testtools", "green")},
        config_files=("unittest.cfg", "nose2.cfg"),
    ),
    precedence=70,
)
