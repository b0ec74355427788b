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

# What may hide a NUL or half a surrogate pair: only then are the strings walked.
SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
DECODER = json.JSONDecoder()
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


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
    _check_contents(parsed, check_text=SUSPECT.search(body) is not None)
    return parsed


def _refuse_constant(name: str) -> None:
    raise MalformedJSON(f"The body is not valid JSON: {name} is not a number.")


def _check_contents(parsed: Any, *, check_text: bool) -> None:
    stack = [(parsed, 1)]
    while stack:
        node, depth = stack.pop()
        if isinstance(node, dict | list):
            if depth > settings.API_MAX_NESTING:
                raise MalformedJSON(f"The body is nested deeper than {settings.API_MAX_NESTING} levels.")
            children = node.values() if isinstance(node, dict) else node
            if check_text and isinstance(node, dict):
                stack += [(key, depth) for key in node]
            stack += [
                (child, depth + 1) for child in children if check_text or isinstance(child, dict | list)
            ]
        elif check_text and isinstance(node, str) and ("\0" in node or LONE_SURROGATE.search(node)):
            raise MalformedJSON(
                "The body holds a NUL character or half a surrogate pair. Remove it and try again."
            )


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
