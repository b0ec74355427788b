"""`manage.py bench_ranking GIT_DIR…`: checks the ranking of test files against projects' histories."""

import json
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.commands.base import BaseCommand
from phases.test_integration.measure import corpus, ranking_bench
from phases.test_integration.measure.ranking_bench import Pair

_FEWEST_CANDIDATES = 5
_COMMIT = "\x01"


class Command(BaseCommand):
    help = (
        "Take the commits that changed one source and one test file from each repository, rank all test files"
        " of that commit for the source, and print how often the one that changed comes first. Reads only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("repositories", nargs="+", metavar="GIT_DIR", type=Path)
        parser.add_argument("--most", type=int, default=300, help="pairs of each repository, spread over all")
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")

    def handle(self, **options: Any) -> None:
        rows = []
        everything: list[Pair] = []
        for repository in options["repositories"]:
            pairs = list(_pairs(_git_dir(repository), options["most"]))
            everything += pairs
            rows.append(_row(str(repository), pairs))
        if len(rows) > 1:
            rows.append(_row("all", everything))
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        headers = ["repository", "pairs", "candidates", "plain top-1", "ours top-1"]
        lines = [
            [
                row["repository"],
                row["pairs"],
                row["candidates"],
                f"{row['plain_top_1']:.1%}",
                f"{row['our_top_1']:.1%}",
            ]
            for row in rows
        ]
        self.stdout.write(corpus.table(headers, lines))


def _row(name: str, pairs: list[Pair]) -> dict[str, Any]:
    candidates = [float(len(pair.candidates)) for pair in pairs]
    return {
        "repository": name,
        "pairs": len(pairs),
        "candidates": int(corpus.percentile(candidates, 50)),
        "plain_top_1": round(ranking_bench.top_1(pairs, ranking_bench.rank_by_string_similarity), 4),
        "our_top_1": round(ranking_bench.top_1(pairs, ranking_bench.rank_by_engine), 4),
    }


def _git_dir(path: Path) -> Path:
    """Return the repository, also for a checkout."""
    inner = path / ".git"
    chosen = inner if inner.exists() else path
    if not (chosen / "HEAD").exists():
        raise CommandError(f"no git repository: {path}")
    return chosen


def _pairs(git_dir: Path, most: int) -> Iterator[Pair]:
    """Yield at most that many pairs, spread over the history; each source with a test counts once."""
    found: dict[tuple[str, str], str] = {}
    for commit, changed in _commits(git_dir):
        if (pair := ranking_bench.find_pair(changed)) is not None:
            found.setdefault(pair, commit)
    step = max(-(-len(found) // most), 1) if most > 0 else 1
    for (source, test), commit in list(found.items())[::step]:
        candidates = _tests_of(git_dir, commit)
        if test in candidates and len(candidates) >= _FEWEST_CANDIDATES:
            yield Pair(source, test, candidates)


def _commits(git_dir: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield every commit except merges, with the files that it added or changed."""
    log = _git(
        git_dir, "log", "--no-merges", "--no-renames", "--diff-filter=AM", "--name-only", "--format=%x01%H"
    )
    for block in log.split(_COMMIT)[1:]:
        commit, *paths = block.split("\n")
        yield commit, [path for path in paths if path]


@lru_cache(maxsize=64)
def _tests_of(git_dir: Path, commit: str) -> tuple[str, ...]:
    listed = _git(git_dir, "ls-tree", "-r", "--name-only", "-z", commit).split("\0")
    return tuple(filter(ranking_bench.is_test, listed))


def _git(git_dir: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", f"--git-dir={git_dir}", "-c", "core.quotePath=false", *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise CommandError(f"git {arguments[0]} in {git_dir}: {done.stderr.strip()[:300]}")
    return done.stdout
