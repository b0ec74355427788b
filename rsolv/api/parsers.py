"""JSON as the API takes it: bounded in size and depth, and nothing in it that a database cannot hold."""

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import IO, Any

from django.conf import settings
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from rsolv.errors import DomainError

from .errors import PayloadTooLarge

DECODER = json.JSONDecoder()
STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
SQUARE = bytes.maketrans(b"{}", b"[]")
# What may hide a NUL or half a surrogate pair: only then is every escape looked at.
SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
UNFIT_TEXT = "The body holds a NUL character or half a surrogate pair. Remove it and try again."


class MalformedJSON(DomainError):
    code, status = "INVALID_REQUEST", 400
    message = "The body is not valid JSON."


class StrictJSONParser(BaseParser):
    """Parses an object of up to 8 MB and 100 levels. Keeps the body's bytes as `request.raw_body`.

    Raises MalformedJSON for anything else (also `NaN`, NUL characters, lone surrogates), PayloadTooLarge.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        body = stream.read(settings.API_MAX_BODY_BYTES + 1)
        if len(body) > settings.API_MAX_BODY_BYTES:
            raise PayloadTooLarge
        parser_context["request"].raw_body = body
        return parse_json_object(body)


def parse_json_object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise MalformedJSON("The body is not UTF-8.") from error
    except json.JSONDecodeError as error:
        raise MalformedJSON(f"The body is not valid JSON: {error.msg} at line {error.lineno}.") from error
    except RecursionError as error:
        raise MalformedJSON(f"The body is nested deeper than {settings.API_MAX_NESTING} levels.") from error
    except ValueError as error:  # an integer of more digits than Python reads
        raise MalformedJSON("The body holds a number that is too long.") from error
    if not isinstance(parsed, dict):
        raise MalformedJSON("The body must be a JSON object.")
    _check_depth(body)
    _check_text(body)
    return parsed


def _refuse_constant(name: str) -> None:
    raise MalformedJSON(f"The body is not valid JSON: {name} is not a number.")


def _check_depth(body: bytes) -> None:
    """Raise MalformedJSON past the nesting allowed. Peels the brackets off from the inside, level by level.

    Over the text and not the parsed values: those are many more steps, and lack what stood twice.
    """
    brackets = STRING.sub(b"", body).translate(SQUARE, NO_BRACKETS)
    for _ in range(settings.API_MAX_NESTING):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise MalformedJSON(f"The body is nested deeper than {settings.API_MAX_NESTING} levels.")


def _check_text(body: bytes) -> None:
    """Raise MalformedJSON for an escaped NUL or half a surrogate pair, which no database holds."""
    if SUSPECT.search(body) is None:
        return
    expected_at = None  # where the second half of a pair must stand
    for escape in ESCAPE.finditer(body):
        unit = int(escape[1], 16) if escape[1] else -1
        is_second_half = 0xDC00 <= unit <= 0xDFFF
        if unit == 0 or is_second_half is not (escape.start() == expected_at):
            raise MalformedJSON(UNFIT_TEXT)
        if expected_at is not None and not is_second_half:
            raise MalformedJSON(UNFIT_TEXT)
        expected_at = escape.end() if 0xD800 <= unit <= 0xDBFF else None
    if expected_at is not None:
        raise MalformedJSON(UNFIT_TEXT)


def slice_member(body: bytes, name: str) -> str:
    """The exact text of a member's value in a JSON object that `parse_json_object` has accepted.

    The last one where the name stands twice, as JSON parsers agree; empty where it does not stand.
    """
    text, found = body.decode("utf-8"), ""
    position = _skip_space(text, _skip_space(text, 0) + 1)
    while text[position] == '"':
        key, position = scanstring(text, position + 1, True)
        start = _skip_space(text, _skip_space(text, position) + 1)
        position = DECODER.raw_decode(text, start)[1]
        if key == name:
            found = text[start:position]
        position = (
            _skip_space(text, _skip_space(text, position) + 1)
            if text[_skip_space(text, position)] == ","
            else -1
        )
    return found


def _skip_space(text: str, position: int) -> int:
    while text[position] in " \t\r\n":
        position += 1
    return position


class AlwaysJSON(BaseContentNegotiation):
    """Answers JSON whatever the Accept header says: errors must be readable too."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        content_type = (request.content_type or "application/json").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type
