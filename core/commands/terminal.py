"""Make text chosen by customers safe to print: it cannot move the cursor or change colors."""

import sys
import traceback
from types import TracebackType


def escape_controls(text: str, *, keep: str = "\n\t") -> str:
    r"""Return the text with every unprintable character escaped, as in `\x1b`, except those in `keep`.

    This covers all Unicode control, invisible and direction characters, line breaks and lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in keep else ascii(each)[1:-1] for each in text)


def print_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a traceback with its text escaped. Installed as `sys.excepthook`."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    sys.stderr.write(escape_controls("".join(traceback.format_exception(kind, error, trace))))
