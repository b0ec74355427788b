"""minitest: named and detected; tests cannot be inserted yet."""

from phases.test_integration.framework import Framework, Signals, Subject


def _test_path(subject: Subject) -> str:
    return f"test/security/{subject.module_snake}_{subject.kind_snake}_test.rb"


FRAMEWORK = Framework(
    name="minitest",
    languages=("ruby",),
    test_dir="test/",
    test_path=_test_path,
    signals=Signals(
        packages={"gem": ("minitest",)},
        implied_by={"gem": ("minitest-",)},
        config_files=("test/test_helper.rb",),
    ),
    precedence=50,
)
