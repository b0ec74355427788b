"""JSON escapes that no database column and no page can hold once decoded. Pure.

These are NUL characters and lone surrogates. As escapes they are plain ASCII, so the text itself can be
stored and returned unchanged; decoded values have U+FFFD in their place.
"""

import json
import re
from typing import Any

# An escaped NUL, a high surrogate without its low one, or a low surrogate without its high one.
UNSTORABLE = re.compile(
    r"\\u(?:0000|[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..\\u[dD])[c-fC-F]..))", re.DOTALL
)
UNSTORABLE_BYTES = re.compile(UNSTORABLE.pattern.encode(), re.DOTALL)
# An escaped backslash starts no other escape. Raw NULs never occur in JSON, so they can stand for it.
BACKSLASH, MASK = "\\\\", "\0\0"


def has_unstorable_escape(text: bytes) -> bool:
    """Return whether the text has such an escape.

    Checks the text and not the decoded values: of a name that occurs twice, the values have only the last.
    """
    return (
        b"\\u" in text
        and UNSTORABLE_BYTES.search(text.replace(BACKSLASH.encode(), MASK.encode())) is not None
    )


def replace_unstorable_escapes(text: str) -> str:
    """Return the text with U+FFFD, the replacement character, in place of each such escape."""
    if "\\u" not in text:
        return text
    return UNSTORABLE.sub(r"\\ufffd", text.replace(BACKSLASH, MASK)).replace(MASK, BACKSLASH)


def read_json(text: str) -> Any:
    """Decode a JSON text into values that columns and pages can hold. Raises ValueError, RecursionError."""
    return json.loads(replace_unstorable_escapes(text))
