"""Go's own testing: named and detected; tests cannot be inserted yet."""

import re

from phases.test_integration.framework import Framework, Signals, Subject


def _test_path(subject: Subject) -> str:
    """In the package's own directory: Go finds a package's tests nowhere else."""
    package = [
        part for part in subject.directories if part != ".." and re.fullmatch(r"[\w.-]+", part, re.ASCII)
    ]
    return "/".join((*package, f"{subject.module_snake}_{subject.kind_snake}_test.go"))


FRAMEWORK = Framework(
    name="go",
    languages=("go",),
    test_dir="./",
    test_path=_test_path,
    signals=Signals(packages={"go": ("testing",)}, config_files=("go.mod",)),
    precedence=110,
)
