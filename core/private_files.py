"""Keep the files of the embedded installation private to its user: mode 0600, directories 0700."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

UMASK = 0o077
OTHERS = stat.S_IRWXG | stat.S_IRWXO
# What RSOLV and the sandbox write into the data directory. Other files in it are left alone.
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
    """Set the umask so that this process and its children create files as 0600, directories as 0700."""
    os.umask(UMASK)


def make_private(folder: Path, *, names: tuple[str, ...] = (), database: str = "") -> None:
    """Create the data directory with these subdirectories and make it and its files private.

    Also fixes the modes of files from an earlier release. Sets this process's umask. `database` is the path
    of an SQLite database, wherever it is. Safe to repeat, also by several processes at once; files of other
    users are unchanged.
    """
    create_only_private_files()
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).mkdir(exist_ok=True)
    if _is_dedicated_folder(folder):
        _make_owner_only(folder)
    for path in _list_ours(folder, database):
        _make_owner_only(path)


def _is_dedicated_folder(folder: Path) -> bool:
    """Return whether the directory cannot be shared: it is not /tmp, a home or the root directory."""
    is_shared = bool(folder.stat().st_mode & stat.S_ISVTX)
    return not (is_shared or folder.resolve() in (Path("/"), Path.home().resolve()))


def _list_ours(folder: Path, database: str) -> Iterator[Path]:
    """Yield parents before their children."""
    for pattern in OURS:
        for path in folder.glob(pattern):
            yield path
            if path.is_dir() and not path.is_symlink():
                yield from path.rglob("*")
    if database:
        yield from (Path(f"{database}{suffix}") for suffix in ("", "-wal", "-shm", "-journal"))


def _make_owner_only(path: Path) -> None:
    with suppress(FileNotFoundError):  # another process has just deleted it
        found = path.lstat()
        # chmod follows symbolic links, also out of the directory.
        is_ours = found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode)
        if is_ours and found.st_mode & OTHERS:
            path.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)
