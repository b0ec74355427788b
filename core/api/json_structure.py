"""Count the values and levels of a JSON text in its bytes, before it is parsed.

Parsing can take a hundred bytes of memory for one byte of text. The count is linear in the text and takes a
few MB.
"""

from collections.abc import Iterator
from itertools import accumulate

# A text is scanned in windows, so that the list made by splitting one stays small.
WINDOW = 1 << 18
SQUARE = bytes.maketrans(b"{}", b"[]")
NOT_STRUCTURE = bytes(set(range(256)) - set(b"[]{},"))
NOT_BRACKETS = bytes(set(range(256)) - set(b"[]"))
STEPS = {ord("["): 1, ord("]"): -1}


class TooDeep(Exception):
    """Objects and lists are nested deeper than allowed."""


class TooMuch(Exception):
    """The text has more values, or more objects and lists, than allowed."""


def check_structure(text: bytes, *, most_values: int, most_containers: int, most_levels: int) -> None:
    """Raise TooMuch or TooDeep if the text exceeds a limit.

    Text that is not JSON may pass: the parser rejects it. The count of values is slightly too high, since it
    is the number of commas and opening brackets outside of strings.
    """
    values = containers = level = 0
    for structure in _find_structure(text):
        containers += structure.count(b"[")
        values += structure.count(b",") + structure.count(b"[")
        if values > most_values:
            raise TooMuch(f"more than {most_values} values")
        if containers > most_containers:
            raise TooMuch(f"more than {most_containers} objects and lists")
        brackets = structure.translate(None, NOT_BRACKETS)
        levels = list(accumulate(map(STEPS.__getitem__, brackets), initial=level))
        if max(levels) > most_levels:
            raise TooDeep
        level = levels[-1]


def _find_structure(text: bytes) -> Iterator[bytes]:
    """Yield the commas and brackets outside of strings, per window, with braces turned into brackets."""
    if b"\\" in text:
        # Remove escaped backslashes first, then escaped quotes, which do not end a string.
        text = text.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    is_inside = 0
    for start in range(0, len(text), WINDOW):
        pieces = text[start : start + WINDOW].split(b'"')
        yield b"".join(pieces[is_inside::2]).translate(SQUARE, NOT_STRUCTURE)
        # An odd number of quotes leaves the next window inside a string, or takes it out of one.
        is_inside ^= (len(pieces) - 1) & 1
