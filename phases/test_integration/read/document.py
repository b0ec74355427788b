"""A target file as bytes: lines, indentation, and positions in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from phases.test_integration.errors import InvalidValue, TargetRejected

MAX_DOCUMENT_BYTES = 2_000_000
MAX_LINES = 200_000  # tree-sitter's Ruby parser does not check its deadline within comments
BOM = b"\xef\xbb\xbf"
_LONE_RETURN = re.compile(rb"\r(?!\n)")


@dataclass(frozen=True, slots=True)
class Splice:
    """New bytes at an offset of the old content."""

    offset: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of bytes."""

    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """The file's bytes, always valid UTF-8 without NUL."""

    content: bytes

    @classmethod
    def of(cls, text: str) -> Document:
        """Raises InvalidValue for text with NUL or surrogates, TargetRejected for too large a file."""
        if "\0" in text:
            raise InvalidValue("must be text: it has a NUL character", field="targetFileContent")
        try:
            content = text.encode()
        except UnicodeEncodeError:
            raise InvalidValue("must be text: it has a lone surrogate", field="targetFileContent") from None
        if len(content) > MAX_DOCUMENT_BYTES:
            raise TargetRejected(f"the file has more than {MAX_DOCUMENT_BYTES} bytes")
        if max(content.count(b"\n"), content.count(b"\r")) > MAX_LINES:
            raise TargetRejected(f"the file has more than {MAX_LINES} lines")
        return cls(content)

    @cached_property
    def eol(self) -> bytes:
        """The most frequent line ending."""
        windows = self.content.count(b"\r\n")
        unix = self.content.count(b"\n") - windows
        old_mac = self.content.count(b"\r") - windows
        most = max(windows, unix, old_mac)
        # Of equal counts the plain newline, also for a file without any line ending.
        return b"\n" if most == unix else b"\r\n" if most == windows else b"\r"

    @cached_property
    def lines(self) -> bytes:
        """The content with lone carriage returns (old Mac line endings) as newlines; same offsets."""
        if self.content.count(b"\r") == self.content.count(b"\r\n"):
            return self.content
        return _LONE_RETURN.sub(b"\n", self.content)

    @property
    def start(self) -> int:
        """The first offset for text: after the byte order mark."""
        return len(BOM) if self.content.startswith(BOM) else 0

    def line_start(self, offset: int) -> int:
        # The first line starts after the byte order mark.
        return max(self.lines.rfind(b"\n", 0, offset) + 1, self.start)

    def next_line(self, offset: int) -> int:
        """Return the start of the next line, or the end of the file."""
        newline = self.lines.find(b"\n", offset)
        return len(self.content) if newline < 0 else newline + 1

    def line_at(self, offset: int) -> bytes:
        """Return the line that starts here, without its line ending."""
        return self.lines[offset : self.next_line(offset)].rstrip(b"\r\n")

    def indent_at(self, offset: int) -> bytes:
        """Return the indentation of the line at this offset."""
        line = self.line_at(self.line_start(offset))
        return line[: len(line) - len(line.lstrip(b" \t\f"))]

    def row_of(self, offset: int) -> int:
        """Return the 0-based row."""
        return self.lines.count(b"\n", 0, offset)

    def needs_newline_at(self, offset: int) -> bool:
        """Return whether text here would continue the last line, which has no newline."""
        return offset == len(self.content) > self.start and not self.lines.endswith(b"\n")
