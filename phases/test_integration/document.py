"""A target file as bytes: where its lines end, and how text is spliced in without touching the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from phases.test_integration.errors import InvalidValue, TargetRefused

LONGEST_DOCUMENT = 2_000_000  # bytes
MOST_LINES = 200_000  # Ruby's parser asks for no time among lines of comments
BOM = b"\xef\xbb\xbf"
_LONE_RETURN = re.compile(rb"\r(?!\n)")


@dataclass(frozen=True, slots=True)
class Splice:
    """New bytes at an offset of the old content."""

    offset: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range of bytes."""

    start: int
    end: int


def edited(content: bytes, edits: Iterable[tuple[int, int, bytes]]) -> bytes:
    """The content with every (start, end, text) put in; what stands within another edit is left out.

    In one pass: an edit at a time would copy the content as often as there are edits.
    """
    pieces: list[bytes] = []
    taken = 0
    for start, end, text in sorted(edits):
        if start >= taken:
            pieces += (content[taken:start], text)
            taken = end
    return b"".join((*pieces, content[taken:]))


@dataclass(frozen=True)
class Document:
    """The file's bytes, always valid UTF-8 without NUL."""

    content: bytes

    @classmethod
    def of(cls, text: str) -> Document:
        """Raises InvalidValue for what is no text, TargetRefused for what is too large."""
        if "\0" in text:
            raise InvalidValue("must be text: it has a NUL character", field="targetFileContent")
        try:
            content = text.encode()
        except UnicodeEncodeError:
            raise InvalidValue("must be text: it has a lone surrogate", field="targetFileContent") from None
        if len(content) > LONGEST_DOCUMENT:
            raise TargetRefused(f"the file has more than {LONGEST_DOCUMENT} bytes")
        if max(content.count(b"\n"), content.count(b"\r")) > MOST_LINES:
            raise TargetRefused(f"the file has more than {MOST_LINES} lines")
        return cls(content)

    @cached_property
    def eol(self) -> bytes:
        """The line ending that most lines have."""
        windows = self.content.count(b"\r\n")
        unix = self.content.count(b"\n") - windows
        old_mac = self.content.count(b"\r") - windows
        most = max(windows, unix, old_mac)
        return b"\n" if most == unix else b"\r\n" if most == windows else b"\r"

    @cached_property
    def lines(self) -> bytes:
        """The content with every lone carriage return, an old line ending, as a newline: same offsets."""
        if self.content.count(b"\r") == self.content.count(b"\r\n"):
            return self.content
        return _LONE_RETURN.sub(b"\n", self.content)

    @property
    def start(self) -> int:
        """The first offset at which text may be put: behind the byte order mark."""
        return len(BOM) if self.content.startswith(BOM) else 0

    def line_start(self, offset: int) -> int:
        return max(self.lines.rfind(b"\n", 0, offset) + 1, self.start)

    def next_line(self, offset: int) -> int:
        """Where the line after this one starts, or the end of the file."""
        newline = self.lines.find(b"\n", offset)
        return len(self.content) if newline < 0 else newline + 1

    def line_at(self, offset: int) -> bytes:
        """The line that starts there, without its ending."""
        return self.lines[offset : self.next_line(offset)].rstrip(b"\r\n")

    def indent_at(self, offset: int) -> bytes:
        """The white space with which the line of this offset begins."""
        line = self.line_at(self.line_start(offset))
        return line[: len(line) - len(line.lstrip(b" \t\f"))]

    def row_of(self, offset: int) -> int:
        """0-based."""
        return self.lines.count(b"\n", 0, offset)

    def ends_mid_line(self, offset: int) -> bool:
        """Whether what is put there would continue the file's last line, which has no newline."""
        return offset == len(self.content) > self.start and not self.lines.endswith(b"\n")

    def spliced(self, splices: Sequence[Splice]) -> tuple[Document, tuple[Span, ...]]:
        """The document with all splices, given in order, and where each now stands."""
        pieces: list[bytes] = []
        spans: list[Span] = []
        taken = length = 0
        for splice in splices:
            pieces += (self.content[taken : splice.offset], splice.text)
            start = length + splice.offset - taken
            length = start + len(splice.text)
            taken = splice.offset
            spans.append(Span(start, length))
        return Document(b"".join((*pieces, self.content[taken:]))), tuple(spans)
