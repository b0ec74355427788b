"""JSON as the API takes it: bounded in size and depth, and nothing in it that a database cannot hold."""

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
from core.api.json_text import has_unfit_escape, read_json
from core.errors import DomainError

# No endpoint knows more than a dozen; each takes a step of Python's, not of the parser's.
MOST_MEMBERS = 1_000
SPACE = re.compile(r"[ \t\n\r]*")
UNFIT_TEXT = "The body holds a NUL character or half a surrogate pair. Remove it and try again."


class MalformedJSON(DomainError):
    code, status = "INVALID_REQUEST", 400
    message = "The body is not valid JSON."


@dataclass(frozen=True, slots=True)
class JSONObject:
    """What was read, and where in the body's bytes the value of each member stands."""

    members: dict[str, Any]
    body: bytes
    spans: Mapping[str, tuple[int, int]]

    def slice(self, name: str) -> str:
        """The exact text of a member's value; of the last where the name stands twice, as parsers agree."""
        start, end = self.spans[name]
        return self.body[start:end].decode()


class StrictJSONParser(BaseParser):
    """Parses an object; sizes are bounded by `find_body_limit`, API_MAX_NESTING and API_MAX_VALUES.

    Keeps what it read as the request's `sent_json`. Raises PayloadTooLarge, and MalformedJSON for anything
    else (also `NaN`, NUL characters, lone surrogates). A view's `verbatim_members` may hold the latter two.
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
    """Read the body in one go. What would cost much is refused before it is parsed. Raises MalformedJSON.

    Members named `verbatim` are kept as text: they may have escaped NULs and half surrogate pairs, for which
    their values have U+FFFD.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJSON("The body is not UTF-8.") from error
    _check_structure(body)
    is_fit = not has_unfit_escape(body)
    if not (is_fit or verbatim):
        raise MalformedJSON(UNFIT_TEXT)
    try:
        members, spans = _Reader(text).read()
    except json.JSONDecodeError as error:
        raise MalformedJSON(f"The body is not valid JSON: {error.msg} at line {error.lineno}.") from error
    except RecursionError as error:
        raise MalformedJSON(f"The body is nested deeper than {settings.API_MAX_NESTING} levels.") from error
    except ValueError as error:  # an integer of more digits than Python reads
        raise MalformedJSON("The body holds a number that is too long.") from error
    read = JSONObject(members, body, spans if text.isascii() else _count_bytes(text, spans))
    if not is_fit:
        _replace_unfit(read, [name for name in members if name in verbatim])
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
        raise MalformedJSON(f"The body holds {error}. Send fewer at once.") from error


def _replace_unfit(read: JSONObject, names: list[str]) -> None:
    """Make the values of these members fit. Raises MalformedJSON where anything else of the body is not."""
    at = 0
    for start, end in sorted(read.spans[name] for name in names):
        if has_unfit_escape(read.body[at:start]):
            raise MalformedJSON(UNFIT_TEXT)
        at = end
    if has_unfit_escape(read.body[at:]):
        raise MalformedJSON(UNFIT_TEXT)
    for name in names:
        read.members[name] = read_json(read.slice(name))


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJSON(f"The body is not valid JSON: {name} is not a number.")


DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


class _Reader:
    """Walks over the members of the outermost object and leaves each value to Python's own parser."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
        """The members, and the range of characters of each one's value."""
        members: dict[str, Any] = {}
        spans: dict[str, tuple[int, int]] = {}
        if self._peek() != "{":
            DECODER.decode(self._text)
            raise MalformedJSON("The body must be a JSON object.")
        self._at += 1
        for number in count():
            if self._peek() == "}":
                break
            if number == MOST_MEMBERS:
                raise MalformedJSON(f"The body's object has more than {MOST_MEMBERS} members.")
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
        """The next character that is no white space, empty at the end."""
        match = SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _expect(self, character: str, message: str) -> None:
        if self._peek() != character:
            raise json.JSONDecodeError(message, self._text, self._at)
        self._at += 1


def _count_bytes(text: str, spans: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """The ranges of characters as ranges of bytes."""
    counted = {}
    characters = octets = 0
    for name, (start, end) in sorted(spans.items(), key=lambda each: each[1]):
        first = octets + len(text[characters:start].encode())
        octets = first + len(text[start:end].encode())
        characters = end
        counted[name] = first, octets
    return counted


class AlwaysJSON(BaseContentNegotiation):
    """Answers JSON whatever the Accept header says: errors must be readable too."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        content_type = (request.content_type or "application/json").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type
