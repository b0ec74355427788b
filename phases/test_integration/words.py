"""Splits paths and names into words, and joins words in the naming conventions of languages."""

from __future__ import annotations

import re
import unicodedata

MAX_NAME_PART_LENGTH = (
    80  # characters of a module or vulnerability type in a file name; file systems allow 255 bytes
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD = re.compile(r"[^A-Za-z0-9]+")


def split_path(path: str) -> tuple[list[str], str]:
    """Return the directories and the file name; backslashes separate, `.` and empty segments are dropped."""
    segments = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    return (segments[:-1], segments[-1]) if segments else ([], "")


def split_extension(file_name: str) -> tuple[str, str]:
    """Return `users` and `.rb` for `users.rb`; a leading dot starts no extension."""
    stem, dot, extension = file_name.rpartition(".")
    return (stem, dot + extension) if stem else (file_name, "")


def ascii_only(text: str) -> str:
    """Return the text without accents; characters without an ASCII form become a space."""
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFKD", text)
    bare = "".join(char for char in folded if not unicodedata.combining(char))
    return re.sub(r"[^\x00-\x7f]+", " ", bare)


def words_of(text: str) -> list[str]:
    """Return `users`, `controller` for `UsersController`, `users_controller` and `users-controller`."""
    spaced = _NOT_WORD.sub(" ", ascii_only(text))
    if spaced.islower():
        return spaced.split()
    return _CAMEL.sub(" ", spaced).lower().split()


def snake(text: str, default: str = "") -> str:
    """Return lower-case words joined by underscores, safe in a path; `default` where nothing is left."""
    return "_".join(words_of(text[:MAX_NAME_PART_LENGTH])) or default


def camel(text: str, default: str = "") -> str:
    """Return `sqlInjection` for `sql_injection`."""
    first, *rest = words_of(text[:MAX_NAME_PART_LENGTH]) or [default]
    return first + "".join(word.capitalize() for word in rest)


def pascal(text: str, default: str = "") -> str:
    """Return `UsersController` for `users_controller`; capitals stay (`XMLParser`)."""
    pieces = _NOT_WORD.sub(" ", ascii_only(text[:MAX_NAME_PART_LENGTH])).split()
    return "".join(piece[0].upper() + piece[1:] for piece in pieces) or default


def one_line(text: str) -> str:
    """Return one line for a comment: unprintable characters are escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    ).strip()
