"""Parse JSON request bodies of bounded size and depth that contain nothing a database cannot store."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from core.api.bodies import find_body_limit, read_body
from core.api.json_structure import TooDeep, TooMuch, check_structure
from core.api.json_text import has_unstorable_escape, read_json
from core.errors import DomainError

# No endpoint accepts more than a dozen members. Each costs a step of the loop below, in Python.
MAX_MEMBERS = 1_000
SPACE = re.compile(r"[ \t\n\r]*")
UNSTORABLE_TEXT = "The body contains a NUL character or a lone surrogate. Remove it and try again."


class MalformedJSON(DomainError):
    code, status = "INVALID_REQUEST", 400
    message = "The body is not valid JSON."


@dataclass(frozen=True, slots=True)
class JSONObject:
    """A parsed object, the bytes it was parsed from, and the byte range of each member's value."""

    members: dict[str, Any]
    body: bytes
    spans: Mapping[str, tuple[int, int]]

    def slice(self, name: str) -> str:
        """Return the exact text of a member's value. Of a repeated name, the last one, as in parsers."""
        start, end = self.spans[name]
        return self.body[start:end].decode()


class StrictJSONParser(BaseParser):
    """Parse a JSON object, bounded by `find_body_limit`, API_MAX_NESTING and API_MAX_VALUES.

    Sets `request.raw_body` and `request.sent_json`. Raises PayloadTooLarge, and MalformedJSON for anything
    else that is rejected, such as `NaN`, NUL characters and lone surrogates. The latter two are allowed in
    the members that a view lists in `verbatim_members`.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        request = parser_context["request"]
        view = parser_context["view"]
        limit = find_body_limit(view)
        request.raw_body = read_body(request._request, stream, limit=limit)
        request.sent_json = read_json_object(
            request.raw_body, verbatim=getattr(view, "verbatim_members", frozenset())
        )
        return request.sent_json.members  # type: ignore[no-any-return]


def read_json_object(body: bytes, *, verbatim: frozenset[str] = frozenset()) -> JSONObject:
    """Parse the whole body, after checking that this cannot be expensive. Raises MalformedJSON.

    Members named in `verbatim` may have escaped NULs and lone surrogates: their text is kept, and their
    values have U+FFFD in place of these.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJSON("The body is not UTF-8.") from error
    _check_structure(body)
    is_storable = not has_unstorable_escape(body)
    if not (is_storable or verbatim):
        raise MalformedJSON(UNSTORABLE_TEXT)
    try:
        members, spans = _Reader(text).read()
    except json.JSONDecodeError as error:
        raise MalformedJSON(f"The body is not valid JSON: {error.msg} at line {error.lineno}.") from error
    except RecursionError as error:
        raise MalformedJSON(f"The body is nested deeper than {settings.API_MAX_NESTING} levels.") from error
    except ValueError as error:  # an integer with more digits than Python converts
        raise MalformedJSON("The body contains a number that is too long.") from error
    read = JSONObject(members, body, spans if text.isascii() else _count_bytes(text, spans))
    if not is_storable:
        _replace_unstorable(read, [name for name in members if name in verbatim])
    return read


def _check_structure(body: bytes) -> None:
    try:
        check_structure(
            body,
            most_values=settings.API_MAX_VALUES,
            most_containers=settings.API_MAX_CONTAINERS,
            most_levels=settings.API_MAX_NESTING,
        )
    except TooDeep as error:
        raise MalformedJSON(f"The body is nested deeper than {settings.API_MAX_NESTING} levels.") from error
    except TooMuch as error:
        raise MalformedJSON(f"The body contains {error}. Send fewer at once.") from error


def _replace_unstorable(read: JSONObject, names: list[str]) -> None:
    """Replace these members' values. Raises MalformedJSON if the rest of the body has such escapes too."""
    at = 0
    for start, end in sorted(read.spans[name] for name in names):
        if has_unstorable_escape(read.body[at:start]):
            raise MalformedJSON(UNSTORABLE_TEXT)
        at = end
    if has_unstorable_escape(read.body[at:]):
        raise MalformedJSON(UNSTORABLE_TEXT)
    for name in names:
        read.members[name] = read_json(read.slice(name))


def _reject_constant(name: str) -> NoReturn:
    raise MalformedJSON(f"The body is not valid JSON: {name} is not a number.")


DECODER = json.JSONDecoder(parse_constant=_reject_constant)


class _Reader:
    """Walks over the members of the outermost object and leaves each value to Python's own decoder.

    The standard decoder does not report where in the text a value starts and ends.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
        """Return the members, and the range of characters of each member's value."""
        members: dict[str, Any] = {}
        spans: dict[str, tuple[int, int]] = {}
        if self._peek() != "{":
            # Raises the more precise error if the text is no JSON at all.
            DECODER.decode(self._text)
            raise MalformedJSON("The body must be a JSON object.")
        self._at += 1
        for number in count():
            if self._peek() == "}":
                break
            if number == MAX_MEMBERS:
                raise MalformedJSON(f"The body's object has more than {MAX_MEMBERS} members.")
            if number:
                self._expect(",", "Expecting ',' delimiter")
            name = self._read_name()
            self._peek()
            start = self._at
            members[name], self._at = DECODER.raw_decode(self._text, start)
            spans[name] = start, self._at
        self._end()
        return members, spans

    def _read_name(self) -> str:
        self._expect('"', "Expecting property name enclosed in double quotes")
        name, self._at = scanstring(self._text, self._at, True)
        self._expect(":", "Expecting ':' delimiter")
        return str(name)

    def _end(self) -> None:
        self._at += 1
        if self._peek():
            raise json.JSONDecodeError("Extra data", self._text, self._at)

    def _peek(self) -> str:
        """Skip white space and return the next character, or "" at the end."""
        match = SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _expect(self, character: str, message: str) -> None:
        if self._peek() != character:
            raise json.JSONDecodeError(message, self._text, self._at)
        self._at += 1


def _count_bytes(text: str, spans: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Convert ranges of characters to ranges of bytes."""
    counted = {}
    # In order of position, so that each part of the text is encoded once.
    characters = octets = 0
    for name, (start, end) in sorted(spans.items(), key=lambda each: each[1]):
        first = octets + len(text[characters:start].encode())
        octets = first + len(text[start:end].encode())
        characters = end
        counted[name] = first, octets
    return counted


class AlwaysJSON(BaseContentNegotiation):
    """Respond with JSON whatever the Accept header asks for, so that errors are readable too."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        content_type = (request.content_type or "application/json").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type
