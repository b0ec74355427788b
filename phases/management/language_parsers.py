"""Runs each language's own parser on texts, in one process per language."""

from __future__ import annotations

import ast
import atexit
import base64
import os
import shutil
import subprocess
import warnings
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent / "parsers"
_COMMANDS = {
    "ruby": ("ruby", "parse.rb"),
    "php": ("php", "parse.php"),
    "javascript": ("node", "parse.js"),
    "elixir": ("elixir", "parse.exs"),
    "java": ("java", "Parse.java"),
    "go": ("go", "run", "parse.go"),
}


def parses(language: str, text: str) -> bool | None:
    """Return whether the language's parser accepts the text; None where it is not installed."""
    if language == "python":
        return _is_python(text)
    process = _started("javascript" if language == "typescript" else language)
    if process is None or process.stdin is None or process.stdout is None:
        return None
    try:
        process.stdin.write(base64.b64encode(text.encode()) + b"\n")
        process.stdin.flush()
        answer = process.stdout.readline().strip()
    except OSError:
        return None
    return {b"1": True, b"0": False}.get(answer)


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


@cache
def _started(language: str) -> subprocess.Popen[bytes] | None:
    command = _COMMANDS.get(language)
    if command is None or shutil.which(command[0]) is None:
        return None
    *program, script = command
    extra = [_typescript()] if language == "javascript" else []
    if None in extra:
        return None
    process = subprocess.Popen(
        [*program, str(_HERE / script), *filter(None, extra)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "GO111MODULE": "off"},
    )
    atexit.register(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def _typescript() -> str | None:
    """Return the path of the TypeScript compiler: RSOLV_TYPESCRIPT, or that of the tests' node_modules."""
    named = os.environ.get("RSOLV_TYPESCRIPT")
    root = Path(__file__).parents[2]
    places = (
        [Path(named)]
        if named
        else root.glob("tests/phases/test_integration/runners/*/node_modules/typescript")
    )
    return next((str(place) for place in places if place.is_dir()), None)
