"""Escapes in JSON texts that no database column and no page can hold once they are read. Pure.

A NUL character, and half a surrogate pair. As escapes they are plain ASCII, so a text that has them can be
kept and given back as it came; what is read of it has U+FFFD in their place.
"""

import json
import re
from typing import Any

# An escaped NUL, the first half of a surrogate pair without the second, or the second without the first.
UNFIT = re.compile(
    r"\\u(?:0000|[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..\\u[dD])[c-fC-F]..))", re.DOTALL
)
UNFIT_BYTES = re.compile(UNFIT.pattern.encode(), re.DOTALL)
# An escaped backslash begins no other escape. JSON has no NUL of its own, so that NULs can stand for it.
BACKSLASH, MASK = "\\\\", "\0\0"


def has_unfit_escape(text: bytes) -> bool:
    """Whether the text has such an escape. Over the text and not its values: those lack what stood twice."""
    return b"\\u" in text and UNFIT_BYTES.search(text.replace(BACKSLASH.encode(), MASK.encode())) is not None


def replace_unfit_escapes(text: str) -> str:
    """The text with the escape of U+FFFD, the replacement character, for each of them."""
    if "\\u" not in text:
        return text
    return UNFIT.sub(r"\\ufffd", text.replace(BACKSLASH, MASK)).replace(MASK, BACKSLASH)


def read_json(text: str) -> Any:
    """The values of a JSON text, fit for a column and a page. Raises ValueError, RecursionError."""
    return json.loads(replace_unfit_escapes(text))
