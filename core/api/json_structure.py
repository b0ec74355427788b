"""How much a JSON text holds and how deep, counted over its bytes before anything is made of them.

Linear in the text, in a few MB. What a parser makes of one byte can take a hundred, so it is asked first.
"""

from collections.abc import Iterator
from itertools import accumulate

# A text is looked at in pieces: the list that one piece falls apart into stays small.
WINDOW = 1 << 18
SQUARE = bytes.maketrans(b"{}", b"[]")
NOT_STRUCTURE = bytes(set(range(256)) - set(b"[]{},"))
NOT_BRACKETS = bytes(set(range(256)) - set(b"[]"))
STEPS = {ord("["): 1, ord("]"): -1}


class TooDeep(Exception):
    """Objects and lists stand within another at more levels than are allowed."""


class TooMuch(Exception):
    """More values, or more objects and lists among them, than are allowed."""


def check_structure(text: bytes, *, most_values: int, most_containers: int, most_levels: int) -> None:
    """Raise TooMuch or TooDeep. What is not JSON may pass: a parser has to refuse it.

    Values are counted a little too high: by the commas and the opening brackets outside of strings.
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
    """Commas and brackets outside of strings, window by window; a brace is shown as a bracket."""
    if b"\\" in text:
        # Quotes that end no string go, after the backslashes that escape no quote.
        text = text.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    is_inside = 0
    for start in range(0, len(text), WINDOW):
        pieces = text[start : start + WINDOW].split(b'"')
        yield b"".join(pieces[is_inside::2]).translate(SQUARE, NOT_STRUCTURE)
        is_inside ^= (len(pieces) - 1) & 1
