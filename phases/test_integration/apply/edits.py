"""Applies edits and splices to bytes, and maps offsets of the old content to the new one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from phases.test_integration.read.document import Document, Span, Splice


def apply_edits(content: bytes, edits: Iterable[tuple[int, int, bytes]]) -> bytes:
    """Replace every (start, end, text) range of the content; an edit inside another one is dropped.

    One pass over the content: applying the edits one by one would copy the content once per edit.
    """
    pieces: list[bytes] = []
    copied = 0
    # An insertion sorts before a replacement that starts at the same byte, so both are applied.
    for start, end, text in sorted(edits):
        if start >= copied:
            pieces += (content[copied:start], text)
            copied = end
    return b"".join((*pieces, content[copied:]))


def apply_splices(document: Document, splices: Sequence[Splice]) -> tuple[Document, tuple[Span, ...]]:
    """Return the document with all splices, given in ascending order, and the range each one occupies."""
    pieces: list[bytes] = []
    spans: list[Span] = []
    copied = length = 0
    for splice in splices:
        pieces += (document.content[copied : splice.offset], splice.text)
        start = length + splice.offset - copied
        length = start + len(splice.text)
        copied = splice.offset
        spans.append(Span(start, length))
    return Document(b"".join((*pieces, document.content[copied:]))), tuple(spans)


def shift_offset(offset: int, new_spans: Sequence[Span]) -> int:
    """Return where the byte at this offset is after the new spans were inserted."""
    for span in new_spans:
        # The spans ascend, so `offset` already counts those before this one, as `span.start` does.
        if span.start <= offset:
            offset += span.end - span.start
    return offset


def merge_spans(spans: Sequence[Span], new_spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return all spans in offsets of the newest document; a span that was inserted into grows."""
    # By the last byte of a span: text that is inserted behind it does not belong to it.
    moved = [
        Span(shift_offset(span.start, new_spans), shift_offset(span.end - 1, new_spans) + 1) for span in spans
    ]
    inside = [new for new in new_spans if any(old.start <= new.start and new.end <= old.end for old in moved)]
    return tuple(
        sorted((*moved, *(new for new in new_spans if new not in inside)), key=lambda span: span.start)
    )
