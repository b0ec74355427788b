"""Cuts paths and names into words, so that every convention of spelling compares and prints alike."""

from __future__ import annotations

import re
import unicodedata

LONGEST_PART = 80  # characters of a module or a type in a file's name; file systems stop at 255 bytes
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD = re.compile(r"[^A-Za-z0-9]+")


def split_path(path: str) -> tuple[list[str], str]:
    """The directories and the file name; backslashes count, `.` and empty segments do not."""
    segments = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    return (segments[:-1], segments[-1]) if segments else ([], "")


def split_extension(file_name: str) -> tuple[str, str]:
    """`users.rb` becomes `users` and `.rb`; a leading dot is no extension."""
    stem, dot, extension = file_name.rpartition(".")
    return (stem, dot + extension) if stem else (file_name, "")


def ascii_only(text: str) -> str:
    """Accents fall away; what has no ASCII form becomes a space."""
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFKD", text)
    bare = "".join(char for char in folded if not unicodedata.combining(char))
    return re.sub(r"[^\x00-\x7f]+", " ", bare)


def words_of(text: str) -> list[str]:
    """`UsersController`, `users_controller` and `users-controller` alike give `users`, `controller`."""
    spaced = _NOT_WORD.sub(" ", ascii_only(text))
    if spaced.islower():
        return spaced.split()
    return _CAMEL.sub(" ", spaced).lower().split()


def snake(text: str, default: str = "") -> str:
    """Lower-case words joined by underscores, safe in a path, `default` where nothing is left."""
    return "_".join(words_of(text[:LONGEST_PART])) or default


def camel(text: str, default: str = "") -> str:
    """`sql_injection` becomes `sqlInjection`."""
    first, *rest = words_of(text[:LONGEST_PART]) or [default]
    return first + "".join(word.capitalize() for word in rest)


def pascal(text: str, default: str = "") -> str:
    """`users_controller` becomes `UsersController`; capitals that are there stay (`XMLParser`)."""
    pieces = _NOT_WORD.sub(" ", ascii_only(text[:LONGEST_PART])).split()
    return "".join(piece[0].upper() + piece[1:] for piece in pieces) or default


def one_line(text: str) -> str:
    """One line, for a comment: what is not printable is written as its escape."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    ).strip()
