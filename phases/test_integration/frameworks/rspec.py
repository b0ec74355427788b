"""rspec: named and detected; tests cannot be inserted yet."""

from phases.test_integration.framework import Framework, Signals, Subject


def _test_path(subject: Subject) -> str:
    return f"spec/security/{subject.module_snake}_{subject.kind_snake}_spec.rb"


FRAMEWORK = Framework(
    name="rspec",
    languages=("ruby",),
    test_dir="spec/",
    test_path=_test_path,
    signals=Signals(
        packages={"gem": ("rspec", "rspec-rails", "rspec-core")},
        config_files=(".rspec", "spec/spec_helper.rb", "spec/rails_helper.rb"),
    ),
    precedence=40,
)
