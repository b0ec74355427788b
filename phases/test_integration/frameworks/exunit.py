"""ExUnit: named and detected; tests cannot be inserted yet."""

from phases.test_integration.framework import Framework, Signals, Subject


def _test_path(subject: Subject) -> str:
    return f"test/security/{subject.module_snake}_{subject.kind_snake}_test.exs"


FRAMEWORK = Framework(
    name="exunit",
    languages=("elixir",),
    test_dir="test/",
    test_path=_test_path,
    signals=Signals(packages={"hex": ("ex_unit",)}, config_files=("mix.exs", "test/test_helper.exs")),
    precedence=100,
)
