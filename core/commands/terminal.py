"""Text that customers chose, as a terminal may show it: it cannot move the cursor or change colors."""

import sys
import traceback
from types import TracebackType


def escape_controls(text: str, *, keep: str = "\n\t") -> str:
    r"""The text with every character that is not printable written out, as `\x1b` is; `keep` stays.

    That is all of Unicode's controls, line breaks, invisible and direction marks, and halves of pairs.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in keep else ascii(each)[1:-1] for each in text)


def print_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """For `sys.excepthook`: a traceback whose texts are escaped."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    sys.stderr.write(escape_controls("".join(traceback.format_exception(kind, error, trace))))
