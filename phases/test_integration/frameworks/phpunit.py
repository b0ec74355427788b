"""PHPUnit: named and detected; tests cannot be inserted yet."""

from phases.test_integration.framework import Framework, Signals, Subject


def _test_path(subject: Subject) -> str:
    return f"tests/Security/{subject.module_pascal}{subject.kind_pascal}Test.php"


FRAMEWORK = Framework(
    name="phpunit",
    languages=("php",),
    test_dir="tests/",
    test_path=_test_path,
    signals=Signals(
        packages={"composer": ("phpunit/phpunit",)},
        config_files=("phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml"),
    ),
    precedence=80,
)
