"""The counts of all processes of a machine, which lie in the files of PROMETHEUS_MULTIPROC_DIR.

A process owns the files that end in its id. Counts of one that has ended still count, but its files would
pile up: they are added to those of all that ended before. The folder belongs to one machine or container,
since ids of processes mean nothing elsewhere.
"""

import fcntl
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

log = structlog.get_logger(__name__)

ENDED = "ended"
UNREADABLE = (RuntimeError, ValueError, struct.error)


def find_folder() -> Path | None:
    """Where processes count, None where each counts for itself."""
    name = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    return Path(name) if name else None


def read_processes(folder: Path) -> Iterable[Metric]:
    """The sum over all processes, also those that have ended."""
    fold_ended(folder)
    with _locked(folder, fcntl.LOCK_SH):
        # One that is just being made is empty.
        files = [str(file) for file in folder.glob("*.db") if file.stat().st_size]
        try:
            return list(MultiProcessCollector.merge(files))
        except UNREADABLE:
            return list(MultiProcessCollector.merge([file for file in files if _is_readable(file)]))


def fold_ended(folder: Path) -> None:
    """Add up the files of processes that have ended. Safe while others count, scrape or do the same."""
    if any(_find_owner(file) is None for file in folder.glob("*.db")):
        with _locked(folder, fcntl.LOCK_EX):
            for file in folder.glob("*.db"):
                if _find_owner(file) is None:
                    _fold(file)


def _find_owner(file: Path) -> str | None:
    """Whose file it is: a living process's, or that of the ended ones' sums. None: of one that has ended."""
    owner = file.stem.rpartition("_")[2]
    if owner == ENDED or not owner.isdigit():
        return owner
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return owner


def _fold(file: Path) -> None:
    kind = file.stem.rpartition("_")[0]
    if not kind.startswith("gauge_live") and file.stat().st_size:
        try:
            _add(file, into=file.with_name(f"{kind}_{ENDED}.db"), is_sum=not kind.startswith("gauge"))
        except UNREADABLE as error:
            log.error("metrics_file_unreadable", file=file.name, error=type(error).__name__)
    file.unlink(missing_ok=True)


def _add(file: Path, *, into: Path, is_sum: bool) -> None:
    """Counts are added; of a gauge the later value stands."""
    found = list(MmapedDict.read_all_values_from_file(str(file)))
    sums = MmapedDict(str(into))
    try:
        for key, value, instant, _ in found:
            known, known_at = sums.read_value(key)
            if is_sum:
                sums.write_value(key, known + value, 0.0)
            elif instant >= known_at:
                sums.write_value(key, value, instant)
    finally:
        sums.close()


def _is_readable(file: str) -> bool:
    try:
        list(MmapedDict.read_all_values_from_file(file))
    except UNREADABLE as error:
        log.error("metrics_file_unreadable", file=Path(file).name, error=type(error).__name__)
        return False
    return True


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    """Scrapers read together; who folds is alone."""
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, how)
        yield
