"""`python -m sandbox.checks.changed_tests`: run the tests that a change affects, the most related first.

The change is the difference to the last commit or, on a clean tree, what the branch adds to origin, or else
the last commit. The tests of a file are, in this order: the file itself, tests that mirror its path, tests
that import or mention it, and tests that import or mention those. Tests left out for lack of time are listed.
"""

import argparse
import ast
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 20.0
OTHER_TARGETS = ("tests/browser/",)  # run by `make test-browser`
NOT_SLOW = ["-m", "not slow"]
NO_TESTS_COLLECTED = 5


def list_changed(root: Path) -> list[str]:
    """Return the paths of the changed files, relative to the root, including deleted ones."""
    differing = [*_git(root, "diff", "--name-only", "HEAD"), *_list_untracked(root)]
    return differing or _git(root, "diff", "--name-only", _find_base(root), "HEAD")


def _list_untracked(root: Path) -> list[str]:
    return _git(root, "ls-files", "--others", "--exclude-standard")


def _find_base(root: Path) -> str:
    """Return the merge base with origin, or the last commit's parent if the branch adds nothing to origin."""
    head = _git(root, "rev-parse", "HEAD")
    for branch in ("origin/HEAD", "origin/main"):
        base = _git(root, "merge-base", branch, "HEAD", may_fail=True)
        if base and base != head:
            return base[0]
    return "HEAD~1"


def _git(root: Path, *command: str, may_fail: bool = False) -> list[str]:
    done = subprocess.run(["git", *command], cwd=root, capture_output=True, text=True, check=not may_fail)  # noqa: S607
    return done.stdout.splitlines() if done.returncode == 0 else []


@dataclass
class Sources:
    """The content of the project's Python files by path."""

    files: dict[str, str]
    _imports: dict[str, set[str]] = field(default_factory=dict)

    @cached_property
    def tests(self) -> list[str]:
        return [path for path in self.files if is_test(path)]

    def find_importers(self, path: str) -> list[str]:
        """Return the files that import a Python module, or that contain the name of any other file.

        Templates and static files are looked up by their path below `templates/` or `static/`.
        """
        module = _name_module(path)
        if module is None:
            return [each for each, text in self.files.items() if _name_text(path) in text]
        word = module.rpartition(".")[2]
        return [
            each for each, text in self.files.items() if word in text and module in self._list_imports(each)
        ]

    def _list_imports(self, path: str) -> set[str]:
        if path not in self._imports:
            package = path.removesuffix(".py").split("/")[:-1]
            self._imports[path] = set(_read_imports(ast.parse(self.files[path]), package))
        return self._imports[path]


def read_sources(root: Path) -> Sources:
    paths = [*_git(root, "ls-files", "*.py"), *_list_untracked(root)]
    python = [path for path in paths if path.endswith(".py") and "/migrations/" not in path]
    return Sources({path: (root / path).read_text() for path in python if (root / path).is_file()})


def is_test(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith("test_") and path.startswith("tests/") and not path.startswith(OTHER_TARGETS)


def choose_tests(changed: Collection[str], sources: Sources) -> list[str]:
    """Return test files, the most closely related to the change first."""
    own = [path for path in changed if path in sources.files and is_test(path)]
    mirrors = [test for path in changed for test in sources.tests if _mirrors(test, path)]
    importers = _unique(each for path in changed for each in sources.find_importers(path))
    indirect_importers = _unique(each for path in importers for each in sources.find_importers(path))
    neighbors = [
        test for path in changed if path.endswith("conftest.py") for test in _list_in_folder(path, sources)
    ]
    return [
        each
        for each in _unique([*own, *mirrors, *importers, *indirect_importers, *neighbors])
        if is_test(each)
    ]


def _mirrors(test: str, path: str) -> bool:
    """Return whether a test file's path mirrors a source's path.

    `tests/billing/api/test_views.py` mirrors `billing/api/views.py`, and so does every test file in
    `tests/billing/api/views/`. The test files of a folder mirror its `__init__.py`.
    """
    folder, _, name = path.rpartition("/")
    stem = name.removesuffix(".py")
    test_folder, _, test_name = test.removeprefix("tests/").rpartition("/")
    if not path.endswith(".py") or is_test(path):
        return False
    if test_folder == folder:
        return test_name.startswith(f"test_{stem}") or stem == "__init__"
    return test_folder == f"{folder}/{stem}"


def _list_in_folder(path: str, sources: Sources) -> Iterator[str]:
    folder = path.removesuffix("conftest.py")
    return (test for test in sources.tests if test.startswith(folder))


def _name_module(path: str) -> str | None:
    if not path.endswith(".py"):
        return None
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _name_text(path: str) -> str:
    """Return the name by which sources refer to a file."""
    return path.removeprefix("templates/").removeprefix("static/")


def _read_imports(tree: ast.Module, package: list[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*above, *(node.module or "").split(".")]).strip(".")
            yield module
            yield from (f"{module}.{each.name}" for each in node.names)


def _unique(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(paths))


@dataclass
class Deadline:
    """A pytest plugin that runs files in `order` and skips tests that would begin after `seconds`.

    The time counts from the first test, which therefore always runs. `left_out` counts skipped tests by file.
    """

    seconds: float
    order: list[str]
    left_out: Counter[str] = field(default_factory=Counter)
    _ends_at: float | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Restore our order, which pytest-django has changed to put database tests first."""
        items.sort(key=lambda item: self.order.index(_find_file(item)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        now = time.monotonic()
        if self._ends_at is None:
            self._ends_at = now + self.seconds
        elif now >= self._ends_at:
            self.left_out[_find_file(item)] += 1
            return True
        return None

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.left_out:
            terminalreporter.section("left out for lack of time (make test runs all)")
            for path, count in self.left_out.items():
                terminalreporter.write_line(f"{count:>5}  {path}")


def _find_file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.checks.changed_tests", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="time limit of the tests, without startup"
    )
    parser.add_argument("--list", action="store_true", help="only list the test files")
    args, rest = parser.parse_known_args()
    changed = list_changed(ROOT)
    chosen = choose_tests(changed, read_sources(ROOT))
    print(f"{len(changed)} changed files, {len(chosen)} test files", flush=True)
    if args.list or not chosen:
        print(*chosen, sep="\n")
        return 0
    code = pytest.main([*NOT_SLOW, *rest, *chosen], plugins=[Deadline(args.seconds, chosen)])
    print("Not included: tests marked slow, and browser tests.")
    return 0 if code == NO_TESTS_COLLECTED else int(code)


if __name__ == "__main__":
    sys.exit(main())
