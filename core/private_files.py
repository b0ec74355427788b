"""Files of the embedded installation are for its own user alone: 0600, and folders 0700."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

UMASK = 0o077
OTHERS = stat.S_IRWXG | stat.S_IRWXO
# What we and the sandbox write into the data folder; anything else in it is not ours to change.
OURS = (
    "rsolv.sqlite3*",
    "stripe.sqlite3*",
    "beat-schedule*",
    "log",
    "mail",
    "metrics",
    "queue",
    "queue-control",
    "static",
)


def create_only_private_files() -> None:
    """Have every file that this process and its children make from now on be 0600, every folder 0700."""
    os.umask(UMASK)


def keep_private(folder: Path, *, names: tuple[str, ...] = (), database: str = "") -> None:
    """Prepare the data folder: private, with these folders in it, and so is what an earlier release left.

    Sets this process's umask. `database` is the path of an SQLite database, wherever it lies. Repeating it
    is safe, also by several processes at once; what belongs to another user stays as it is.
    """
    create_only_private_files()
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).mkdir(exist_ok=True)
    if _is_folder_of_its_own(folder):
        _close(folder)
    for path in _list_ours(folder, database):
        _close(path)


def _is_folder_of_its_own(folder: Path) -> bool:
    """Whether others cannot be meant to use it: neither /tmp, nor a home, nor a mount's root."""
    is_shared = bool(folder.stat().st_mode & stat.S_ISVTX)
    return not (is_shared or folder.resolve() in (Path("/"), Path.home().resolve()))


def _list_ours(folder: Path, database: str) -> Iterator[Path]:
    """Parents before their children."""
    for pattern in OURS:
        for path in folder.glob(pattern):
            yield path
            if path.is_dir() and not path.is_symlink():
                yield from path.rglob("*")
    if database:
        yield from (Path(f"{database}{suffix}") for suffix in ("", "-wal", "-shm", "-journal"))


def _close(path: Path) -> None:
    with suppress(FileNotFoundError):  # another process has just taken it away
        found = path.lstat()
        is_ours = found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode)
        if is_ours and found.st_mode & OTHERS:
            path.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)
