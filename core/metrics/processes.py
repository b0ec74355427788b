"""Counters of all processes of a machine, in the files of PROMETHEUS_MULTIPROC_DIR.

Each process owns the files that end in its process id. Counts of ended processes must stay, but their files
would pile up, so these are merged into one file per kind. The directory must belong to one machine or
container, since process ids mean nothing elsewhere.
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
    """Return the directory of the counter files, or None if each process keeps its own counts."""
    name = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    return Path(name) if name else None


def read_processes(folder: Path) -> Iterable[Metric]:
    """Return the sums over all processes, including ended ones."""
    merge_ended_processes(folder)
    with _locked(folder, fcntl.LOCK_SH):
        # A file that is just being created is empty.
        files = [str(file) for file in folder.glob("*.db") if file.stat().st_size]
        try:
            return list(MultiProcessCollector.merge(files))
        except UNREADABLE:
            return list(MultiProcessCollector.merge([file for file in files if _is_readable(file)]))


def merge_ended_processes(folder: Path) -> None:
    """Merge the files of ended processes. Safe while other processes count, scrape or merge."""
    if any(_find_owner(file) is None for file in folder.glob("*.db")):
        with _locked(folder, fcntl.LOCK_EX):
            for file in folder.glob("*.db"):
                if _find_owner(file) is None:
                    # Checked again under the lock: another process may have merged it meanwhile.
                    _merge(file)


def _find_owner(file: Path) -> str | None:
    """Return a file's owner: a running process, or ENDED for the merged file. None: the process ended."""
    owner = file.stem.rpartition("_")[2]
    if owner == ENDED or not owner.isdigit():
        return owner
    try:
        # Signal 0 only asks. If the id belongs to a new process by now, the file waits until that ends too.
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return None
    # It runs, as another user.
    except PermissionError:
        pass
    return owner


def _merge(file: Path) -> None:
    kind = file.stem.rpartition("_")[0]
    # Such a gauge counts running processes only, so it ends with its own.
    if not kind.startswith("gauge_live") and file.stat().st_size:
        try:
            _add(file, into=file.with_name(f"{kind}_{ENDED}.db"), is_sum=not kind.startswith("gauge"))
        except UNREADABLE as error:
            log.error("metrics_file_unreadable", file=file.name, error=type(error).__name__)
    file.unlink(missing_ok=True)


def _add(file: Path, *, into: Path, is_sum: bool) -> None:
    """Add the counts of a file to another one. Of a gauge, keep the latest value."""
    found = list(MmapedDict.read_all_values_from_file(str(file)))
    sums = MmapedDict(str(into))
    try:
        for key, value, set_at, _ in found:
            known, known_at = sums.read_value(key)
            if is_sum:
                sums.write_value(key, known + value, 0.0)
            elif set_at >= known_at:
                sums.write_value(key, value, set_at)
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
    """Hold the directory's lock: shared to read, exclusive to merge."""
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, how)
        yield
