"""`manage.py insertion_corpus DIR…`: measures insertion into folders of real test files."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.commands.base import BaseCommand
from phases.management.language_parsers import parses
from phases.test_integration.frameworks import FRAMEWORKS
from phases.test_integration.measure import corpus

_PASSED_OVER = {".git", "node_modules", ".venv", "__pycache__"}
_MAX_REASONS = 12


class Command(BaseCommand):
    help = "Insert a test into every test file below the directories, in memory, and print what came of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directories", nargs="+", metavar="DIR", type=Path)
        parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
        parser.add_argument(
            "--framework", choices=sorted(FRAMEWORKS), help="take every file to be of this one"
        )
        parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes, default: cores")

    def handle(self, **options: Any) -> None:
        missing = [str(each) for each in options["directories"] if not each.is_dir()]
        if missing:
            raise CommandError(f"no such directory: {', '.join(missing)}")
        jobs = [(path, options["framework"]) for path in _files(options["directories"])]
        outcomes = list(self._outcomes(jobs, max(options["jobs"], 1)))
        rows = corpus.summarize(each for each in outcomes if each is not None)
        if options["json"]:
            self.stdout.write(json.dumps([asdict(row) for row in rows], indent=2))
            return
        lines = [[show(row) for show in corpus.COLUMNS.values()] for row in rows]
        self.stdout.write(corpus.table(list(corpus.COLUMNS), lines))
        for row in rows:
            for reason, count in sorted(row.reasons.items(), key=_count, reverse=True)[:_MAX_REASONS]:
                example = row.examples.get(reason)
                self.stdout.write(
                    f"{row.framework}: {count} × {reason}" + (f" ({example})" if example else "")
                )

    def _outcomes(
        self, jobs: list[tuple[Path, str | None]], processes: int
    ) -> Iterator[corpus.Outcome | None]:
        if processes == 1 or len(jobs) < 20:
            yield from self._with_progress(map(_measure, jobs), len(jobs))
            return
        with get_context("spawn").Pool(processes) as pool:
            yield from self._with_progress(pool.imap_unordered(_measure, jobs, chunksize=8), len(jobs))

    def _with_progress(
        self, outcomes: Iterator[corpus.Outcome | None], total: int
    ) -> Iterator[corpus.Outcome | None]:
        is_shown = sys.stderr.isatty()
        for done, outcome in enumerate(outcomes, start=1):
            if is_shown and (done % 20 == 0 or done == total):
                filled = 40 * done // total
                sys.stderr.write(f"\r[{'#' * filled}{'.' * (40 - filled)}] {done}/{total}")
            yield outcome
        if is_shown and total:
            sys.stderr.write("\n")


def _count(item: tuple[str, int]) -> int:
    return item[1]


def _files(directories: list[Path]) -> list[Path]:
    found: list[Path] = []
    for directory in directories:
        for parent, below, names in os.walk(directory):
            below[:] = sorted(each for each in below if each not in _PASSED_OVER)
            found += (Path(parent, name) for name in sorted(names) if corpus.may_be_test(name))
    return found


def _measure(job: tuple[Path, str | None]) -> corpus.Outcome | None:
    """Return None for a file that is not a test file or not text."""
    path, forced = job
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return None
    framework = forced or corpus.guess_framework(str(path), text)
    return corpus.measure(str(path), framework, text, parses) if framework else None
